// Input on the timeline: wheel, drag, pinch, keys. It reports the wanted action and draws nothing.
export interface Hands {
  /** Zoom by a factor around a place, in pixels. */
  zoom(factor: number, x: number): void
  /** Move by pixels. */
  pan(dx: number, dy: number): void
  /** The zone at a place; it decides what a drag does. */
  zone(x: number, y: number): 'overview' | 'axis' | 'lanes' | 'bar'
  scrub(x: number): void
  /** Measure the stretch between two places. */
  range(x0: number, x1: number): void
  overview(x: number): void
  scrollbar(y: number): void
  hover(x: number, y: number): void
  leave(): void
  click(x: number, y: number): void
  doubleClick(x: number, y: number): void
  key(event: KeyboardEvent): boolean
  /** Whether there are more lanes than fit, so that the wheel scrolls them. */
  scrolls(): boolean
}
import { zoomOf } from './zoom.ts'

const CLICK_DISTANCE = 4

/** Listens to an element until the returned function is called. */
export function listen(element: HTMLElement, hands: Hands): () => void {
  const pointers = new Map<number, { x: number; y: number }>()
  let zone: ReturnType<Hands['zone']> | 'range' = 'lanes'
  let start = { x: 0, y: 0 }
  let moved = false
  let pinch = 0
  const stop = new AbortController()
  const { signal } = stop

  const at = (event: MouseEvent): { x: number; y: number } => {
    const box = element.getBoundingClientRect()
    const zoom = zoomOf(element)
    return { x: (event.clientX - box.left) / zoom, y: (event.clientY - box.top) / zoom }
  }
  const drag = (x: number, y: number): boolean => {
    if (zone === 'axis') hands.scrub(x)
    else if (zone === 'range') hands.range(start.x, x)
    else if (zone === 'overview') hands.overview(x)
    else if (zone === 'bar') hands.scrollbar(y)
    else return false
    return true
  }

  element.addEventListener('wheel', (event) => {
    event.preventDefault()
    const lines = event.deltaMode === 1 ? 16 : 1
    const { x } = at(event)
    const dx = event.deltaX * lines
    const dy = event.deltaY * lines
    if (event.ctrlKey || event.metaKey) hands.zoom(Math.exp(dy * 0.01), x)
    else if (event.shiftKey) hands.pan(dx + dy, 0)
    else if (Math.abs(dx) > Math.abs(dy)) hands.pan(dx, 0)
    else if (hands.scrolls()) hands.pan(0, dy)
    else hands.zoom(Math.exp(dy * 0.0025), x)
  }, { passive: false, signal })

  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return
    element.focus({ preventScroll: true })
    element.setPointerCapture(event.pointerId)
    const place = at(event)
    pointers.set(event.pointerId, place)
    if (pointers.size === 1) {
      start = place
      moved = false
      zone = hands.zone(place.x, place.y)
      if (event.shiftKey && (zone === 'axis' || zone === 'lanes')) zone = 'range'
      else drag(place.x, place.y)
    } else moved = true
  }, { signal })

  element.addEventListener('pointermove', (event) => {
    const place = at(event)
    const before = pointers.get(event.pointerId)
    if (before === undefined) {
      hands.hover(place.x, place.y)
      return
    }
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1] ?? before
      const distance = Math.max(20, Math.hypot(place.x - other.x, place.y - other.y))
      if (pinch > 0) {
        hands.zoom(pinch / distance, (place.x + other.x) / 2)
        hands.pan((before.x - place.x) / 2, (before.y - place.y) / 2)
      }
      pinch = distance
    } else {
      if (Math.hypot(place.x - start.x, place.y - start.y) > CLICK_DISTANCE) moved = true
      if (moved && !drag(place.x, place.y)) hands.pan(before.x - place.x, before.y - place.y)
    }
    pointers.set(event.pointerId, place)
  }, { signal })

  const up = (event: PointerEvent): void => {
    const known = pointers.delete(event.pointerId)
    if (pointers.size < 2) pinch = 0
    if (known && !moved && event.type === 'pointerup' && zone === 'lanes') hands.click(start.x, start.y)
  }
  element.addEventListener('pointerup', up, { signal })
  element.addEventListener('pointercancel', up, { signal })
  element.addEventListener('pointerleave', () => hands.leave(), { signal })
  element.addEventListener('dblclick', (event) => {
    const { x, y } = at(event)
    hands.doubleClick(x, y)
  }, { signal })
  element.addEventListener('keydown', (event) => {
    if (hands.key(event)) event.preventDefault()
  }, { signal })
  return () => stop.abort()
}
