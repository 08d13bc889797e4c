import { render } from 'preact'
import './style.css'
import { App } from './app.tsx'
import { useLanguage } from './text/index.ts'

await useLanguage(localStorage.getItem('loadstone.language') ?? (navigator.language.startsWith('de') ? 'de' : 'en'))
render(<App />, document.getElementById('app') as HTMLElement)
