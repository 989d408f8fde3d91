// What the page shows, kept in the address after `#`, so that a link shows the same. Each part of the page has its own keys
// and leaves the others alone.
import { batch, signal } from '@preact/signals'
import { partsOf } from './entry.ts'

/** The address's parts; `view` names the open page. Without it, the live view is open. */
export const address = signal(read())

function read(): URLSearchParams {
  const parts = partsOf(location.hash.slice(1))
  // The server prints links as ?run=7, because a shell does not need quotes around that.
  const run = partsOf(location.search.slice(1)).get('run')
  if (run !== null && location.hash === '') parts.set('run', run)
  return parts
}

/** Counts the addresses that came from outside the page: typed, followed, or from the browser's history. */
export const visits = signal(0)

function visit(): void {
  batch(() => {
    address.value = read()
    visits.value++
  })
}

addEventListener('hashchange', visit)
addEventListener('popstate', visit)

/** Sets some parts; null removes one. Adds an entry to the browser's history only with `push`. */
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
