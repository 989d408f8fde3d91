// Places for what the page shows beside the lanes. A panel registers itself once; the shell mounts it when it is opened.
import { render, type ComponentType } from 'preact'
import { h } from 'preact'
import { signal } from '@preact/signals'
import type { Ability } from '../src/events/schema.ts'
import type { Session } from './session.ts'

export type PanelPlace = 'dock' | 'side' | 'view'

export interface PanelContext {
  readonly session: Session
}

export interface Panel {
  /** In the address, and in the element's id. */
  readonly id: string
  readonly title: string
  /** dock: a tab below the lanes (the default); side: a tab beside them; view: a page of its own, in the header. */
  readonly place?: PanelPlace
  /** Its order among the panels; smaller comes first. */
  readonly order?: number
  /** What the program must have for it. */
  readonly needs?: Ability
  /** A number on its tab; null: none. It is read while drawing, so a change of its signals redraws the tab. */
  badge?(context: PanelContext): number | string | null
  /** Fills `element`; the returned function is called when the panel is closed. */
  mount(element: HTMLElement, context: PanelContext): (() => void) | void
}

export const panels = signal<readonly Panel[]>([])

/** The panels of a place that have something to show. */
export function panelsIn(place: PanelPlace, session: Session): Panel[] {
  return panels.value.filter((panel) => (panel.place ?? 'dock') === place && (panel.needs === undefined || session.can(panel.needs) === true))
}

/** Adds a panel to the page; replaces one with the same id. */
export function registerPanel(panel: Panel): void {
  panels.value = [...panels.value.filter(({ id }) => id !== panel.id), panel].sort((a, b) => (a.order ?? 100) - (b.order ?? 100))
}

/** A panel from a Preact component. */
export function panelOf(Component: ComponentType<PanelContext>): Panel['mount'] {
  return (element, context) => {
    render(h(Component, context), element)
    return () => render(null, element)
  }
}
