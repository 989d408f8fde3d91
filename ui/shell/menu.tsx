// What all menus of the page do: Escape and a click elsewhere close them, Escape gives the focus back to the button, and the
// arrow keys move between the entries.
import type { Signal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useLayoutEffect } from 'preact/hooks'

/** Closes the menu in `place`, which also contains its button. */
export function useMenu(open: Signal<boolean>, place: RefObject<HTMLElement | null>): void {
  // In the same turn as the menu itself: an effect comes after the next frame, and a key pressed before it would be lost.
  useLayoutEffect(() => {
    if (!open.value) return
    const away = ({ target }: Event): void => {
      if (!(target instanceof Node) || place.current?.contains(target) !== true) open.value = false
    }
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return
      // The page's own Escape would deselect the task.
      event.preventDefault()
      event.stopPropagation()
      open.value = false
      place.current?.querySelector<HTMLElement>('[aria-haspopup]')?.focus()
    }
    addEventListener('pointerdown', away)
    addEventListener('keydown', escape, { capture: true })
    return () => {
      removeEventListener('pointerdown', away)
      removeEventListener('keydown', escape, { capture: true })
    }
  }, [open.value])
}

/** Moves the focus between the entries of a `role="menu"`. */
export function moveInMenu(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const entries = [...event.currentTarget.querySelectorAll<HTMLElement>('[role^="menuitem"]')]
  const at = entries.indexOf(document.activeElement as HTMLElement)
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key]
  if (next === undefined) return
  event.preventDefault()
  event.stopPropagation()
  entries.at(next % entries.length)?.focus()
}
