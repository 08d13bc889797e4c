import { t } from './text/index.ts'

export const App = () => <main><h1>{t('app.name')}</h1></main>
