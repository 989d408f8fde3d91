// The playground as a page of the shell. The editor, TypeScript and the runtime are only loaded when it is opened.
import { registerPanel } from '../panels.ts'

registerPanel({
  id: 'playground',
  title: 'Playground',
  place: 'view',
  order: 20,
  mount(element) {
    let close: (() => void) | null = null
    let closed = false
    element.textContent = 'Loading the playground …'
    import('./mount.ts').then(({ mountPlayground }) => {
      if (!closed) close = mountPlayground(element)
    }, (error: unknown) => {
      element.textContent = `The playground could not be loaded: ${String(error)}`
    })
    return () => {
      closed = true
      close?.()
    }
  },
})
