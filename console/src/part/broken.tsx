import { Component, type ComponentChildren } from 'preact'
import { t } from '../text/index.ts'
import { D } from './basics.tsx'

/** A page that fails while it is drawn says so in its place; the header, and with it Stop, stays. */
export class Broken extends Component<{ children: ComponentChildren }, { error?: Error }> {
  override componentDidCatch(error: Error): void {
    this.setState({ error })
    // for the browser's console, and for the tests that listen there
    reportError(error)
  }
  override render() {
    if (!this.state.error) return this.props.children
    return (
      <section class="card" role="alert" data-broken>
        <h1>{t('access.broken')}</h1>
        <p>
          <D>{this.state.error.message}</D>
        </p>
        <button type="button" onClick={() => location.reload()}>
          {t('common.retry')}
        </button>
      </section>
    )
  }
}
