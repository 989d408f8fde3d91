// The page's keys in one table: the help lists the keys that work.
import { signal } from '@preact/signals'
import type { Ability } from '../src/events/schema.ts'
import type { Session } from './session.ts'
import { clearRange, measureHere, range } from './shell/lane-bar.tsx'
import { openPanel } from './shell/tabs.tsx'
import { togglePresenter, toggleTheme } from './theme.ts'

export const helpOpen = signal(false)

export interface Key {
  /** As in `KeyboardEvent.key`; several keys may do the same. */
  keys: string[]
  /** As shown in the help. */
  shown: string
  does: string
  /** What the program must have for it. */
  needs?: Ability
  act(session: Session, event: KeyboardEvent): void
}

export const KEYS: readonly Key[] = [
  { keys: [' '], shown: 'Space', does: 'pause, or go live again', act: (session) => { if (session.follow.value) session.pause(); else follow(session) } },
  { keys: ['l', 'End'], shown: 'L', does: 'go live', act: (session) => follow(session) },
  { keys: ['.', '>'], shown: '.', does: 'one event forward (with Shift: ten)', act: (session, event) => session.step(event.shiftKey ? 10 : 1) },
  { keys: [',', '<'], shown: ',', does: 'one event back (with Shift: ten)', act: (session, event) => session.step(event.shiftKey ? -10 : -1) },
  { keys: ['w', '+', '='], shown: 'W  +', does: 'zoom in', act: (session) => session.timeline?.zoom(0.7) },
  { keys: ['s', '-'], shown: 'S  −', does: 'zoom out', act: (session) => session.timeline?.zoom(1 / 0.7) },
  { keys: ['a', 'ArrowLeft'], shown: 'A  ←', does: 'earlier', act: (session) => session.timeline?.pan(-0.2) },
  { keys: ['d', 'ArrowRight'], shown: 'D  →', does: 'later', act: (session) => session.timeline?.pan(0.2) },
  { keys: ['f', 'Home'], shown: 'F', does: 'show everything', act: (session) => session.timeline?.fit() },
  { keys: ['['], shown: '[', does: 'lower rows, down to thousands of lanes at once', act: (session) => rows(session, 0.7) },
  { keys: [']'], shown: ']', does: 'higher rows', act: (session) => rows(session, 1 / 0.7) },
  { keys: ['x'], shown: 'X', does: 'stall the loop for 2 s', needs: 'stall', act: (session) => void session.stall() },
  { keys: ['1', '2', '3', '4', '5'], shown: '1 … 5', does: 'run that example', needs: 'examples', act: (session, event) => void session.start(Number(event.key)) },
  { keys: ['c'], shown: 'C', does: 'cancel the last run, as Ctrl-C does', needs: 'examples', act: (session) => {
    const last = session.running.at(-1)
    if (last !== undefined) session.cancelRun(last)
  } },
  { keys: ['n'], shown: 'N', does: 'the next loop, if there are several', act: (session) => {
    const names = session.loops.list.value?.loops.map(({ loop }) => loop) ?? []
    const next = names[(names.indexOf(session.shownLoop.value?.loop ?? '') + 1) % names.length]
    if (next !== undefined && names.length > 1) session.look(next)
  } },
  { keys: ['/'], shown: '/', does: 'filter by name', needs: 'tasks', act: () => document.getElementById('filter-text')?.focus() },
  { keys: ['g'], shown: 'G', needs: 'tasks', does: 'find tasks; Enter and Shift+Enter: the next and the one before', act: () => document.getElementById('find-text')?.focus() },
  { keys: ['m'], shown: 'M', needs: 'tasks', does: 'measure: from the cursor to its next place, the selected task, or what is shown; or drag with Shift', act: (session) => measureHere(session) },
  { keys: ['i'], shown: 'I', does: 'the lanes as a table', act: () => { openPanel('words'); document.getElementById('tab-words')?.focus() } },
  { keys: ['t'], shown: 'T', does: 'dark or light', act: (session) => toggleTheme(session) },
  { keys: ['p'], shown: 'P', does: 'presenter mode: large type, high contrast', act: (session) => togglePresenter(session) },
  { keys: ['?'], shown: '?', does: 'this help', act: () => { helpOpen.value = !helpOpen.value } },
  { keys: ['Escape'], shown: 'Esc', does: 'close, deselect', act: (session) => { if (helpOpen.value) helpOpen.value = false; else if (range.value !== null) clearRange(session); else session.select(null) } },
]

/** The keys that do something in the program that is shown. */
export function keysFor(session: Session): Key[] {
  return KEYS.filter(({ needs }) => needs === undefined || session.can(needs) === true)
}

function follow(session: Session): void {
  session.cursor.value = null
  session.follow.value = true
}

function rows(session: Session, factor: number): void {
  if (session.timeline !== null) session.timeline.rowHeight *= factor
}

/** The keys that also work on pages without lanes. */
export const EVERYWHERE: readonly string[] = ['?', 'Escape', 't', 'p']

/** Where the page takes no keys: in a text field or an editor. */
function isTyping(target: EventTarget | undefined): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

export function installKeys(session: Session): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    // With a shadow tree, the event's target would be the host element.
    const [target] = event.composedPath()
    if (isTyping(target)) {
      if (event.key === 'Escape') (target as HTMLElement).blur()
      return
    }
    // Space and Enter press a focused button.
    if (event.key === ' ' && target instanceof HTMLElement && /^(BUTTON|A|SUMMARY)$/.test(target.tagName)) return
    const onLive = document.querySelector('.shell')?.getAttribute('data-view') === 'live'
    const key = keysFor(session).find(({ keys }) => keys.includes(event.key))
    if (key === undefined || (!onLive && !EVERYWHERE.includes(event.key))) return
    event.preventDefault()
    key.act(session, event)
  })
}
