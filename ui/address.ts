// What is looked at, kept in the address after `#`, so that a link shows it to somebody else. Every part of the page owns
// its own keys and leaves the others alone.
import { signal } from '@preact/signals'
import { partsOf } from './entry.ts'

/** The address's parts; `view` names the page that is open, none is the live one. */
export const address = signal(read())

function read(): URLSearchParams {
  const parts = partsOf(location.hash.slice(1))
  // The server's links say ?run=7, which a shell need not quote.
  const run = partsOf(location.search.slice(1)).get('run')
  if (run !== null && location.hash === '') parts.set('run', run)
  return parts
}

addEventListener('hashchange', () => { address.value = read() })

/** Set some parts, null takes one away. It makes no new entry in the browser's history unless `push` is set. */
export function setAddress(parts: Record<string, string | null>, push = false): void {
  const next = new URLSearchParams(address.value)
  for (const [key, value] of Object.entries(parts)) {
    if (value === null) next.delete(key)
    else next.set(key, value)
  }
  const text = next.toString()
  if (text === address.value.toString() && location.search === '') return
  address.value = next
  const url = location.pathname + (text === '' ? '' : `#${text}`)
  if (push) history.pushState(null, '', url)
  else history.replaceState(null, '', url)
}

addEventListener('popstate', () => { address.value = read() })
