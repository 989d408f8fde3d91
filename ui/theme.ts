// Dark or light: the system's preference, until the reader chooses. Presenter mode: for a projector. Also the page's small
// settings in local storage.
import type { Session } from './session.ts'

const PREFIX = 'loopscope.'

/** Stores a setting; where storage is forbidden, it is lost. */
export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value)
  } catch { /* private windows */ }
}

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name)
  } catch {
    return null
  }
}

/** Sets the page's theme and follows changes of the system's. */
export function applyTheme(session: Session): void {
  const system = matchMedia('(prefers-color-scheme: dark)')
  const set = (): void => {
    const chosen = recall('theme')
    const dark = chosen === null ? system.matches : chosen === 'dark'
    session.dark.value = dark
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light'
    restyle(session)
  }
  system.addEventListener('change', set)
  set()
  if (recall('presenter') === 'on') document.documentElement.dataset['presenter'] = 'on'
}

/** Large type and high contrast, for a room. */
export function togglePresenter(session: Session): void {
  const { dataset } = document.documentElement
  const on = dataset['presenter'] === undefined
  if (on) dataset['presenter'] = 'on'
  else delete dataset['presenter']
  remember('presenter', on ? 'on' : '')
  session.say('good', on ? 'Presenter mode: large type, high contrast. P ends it.' : 'Presenter mode is off.')
  restyle(session)
}

export function toggleTheme(session: Session): void {
  remember('theme', session.dark.value ? 'light' : 'dark')
  session.dark.value = !session.dark.value
  document.documentElement.dataset['theme'] = session.dark.value ? 'dark' : 'light'
  restyle(session)
}

/** Canvases read their colours from the style sheet. */
function restyle(session: Session): void {
  dispatchEvent(new Event('loopscope:theme'))
  session.timeline?.restyle()
}
