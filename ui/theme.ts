// Dark or light: what the machine says, until somebody chooses. Small things that this machine remembers stand here too.
import type { Session } from './session.ts'

const PREFIX = 'loopscope.'

/** Keep something on this machine; where that is forbidden it is forgotten. */
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

/** Give the page its theme, and follow the machine's. */
export function applyTheme(session: Session): void {
  const system = matchMedia('(prefers-color-scheme: dark)')
  const set = (): void => {
    const chosen = recall('theme')
    const dark = chosen === null ? system.matches : chosen === 'dark'
    session.dark.value = dark
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light'
    session.timeline?.restyle()
  }
  system.addEventListener('change', set)
  set()
}

export function toggleTheme(session: Session): void {
  remember('theme', session.dark.value ? 'light' : 'dark')
  session.dark.value = !session.dark.value
  document.documentElement.dataset['theme'] = session.dark.value ? 'dark' : 'light'
  // Every canvas reads its colours from the style sheet.
  dispatchEvent(new Event('loopscope:theme'))
  session.timeline?.restyle()
}
