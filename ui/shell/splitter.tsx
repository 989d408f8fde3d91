// The border of a panel, which resizes it: with the pointer, or with the arrow keys. The browser remembers the size.
import { useEffect, useRef } from 'preact/hooks'
import { recall, remember } from '../theme.ts'

const STEP = 24
const SMALLEST = 96
/** What the lanes keep, in pixels. */
const LEAST_LEFT = 160

interface SplitterProps {
  /** `side`: the width of the panel to its right; `dock`: the height of the one below. */
  place: 'side' | 'dock'
  label: string
}

/** It comes before its panel. Without a size that the reader has set, the style sheet decides. */
export function Splitter({ place, label }: SplitterProps) {
  const element = useRef<HTMLDivElement>(null)
  const wide = place === 'side'
  const panel = (): HTMLElement => element.current?.nextElementSibling as HTMLElement
  const most = (): number => {
    const room = element.current?.parentElement?.getBoundingClientRect()
    return Math.max(SMALLEST, (wide ? room?.width ?? 0 : room?.height ?? 0) - LEAST_LEFT)
  }
  const sizeNow = (): number => panel()[wide ? 'offsetWidth' : 'offsetHeight']
  const tell = (): void => {
    element.current?.setAttribute('aria-valuenow', String(sizeNow()))
    element.current?.setAttribute('aria-valuemax', String(Math.round(most())))
  }
  const set = (size: number | null): void => {
    const kept = size === null ? null : Math.round(Math.max(SMALLEST, Math.min(most(), size)))
    panel().style.setProperty(wide ? '--panel-width' : '--panel-height', kept === null ? null : `${kept}px`)
    tell()
    remember(`size-${place}`, kept === null ? '' : String(kept))
  }
  useEffect(() => {
    const size = Number(recall(`size-${place}`))
    if (size >= SMALLEST) set(size)
    else tell()
  }, [])
  const onKeyDown = (event: KeyboardEvent): void => {
    const grow = event.key === (wide ? 'ArrowLeft' : 'ArrowUp') ? 1 : event.key === (wide ? 'ArrowRight' : 'ArrowDown') ? -1 : 0
    if (grow !== 0) set(sizeNow() + grow * STEP)
    else if (event.key === 'Home') set(SMALLEST)
    else if (event.key === 'End') set(most())
    else if (event.key === 'Enter') set(null)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const onPointerDown = (down: PointerEvent): void => {
    const target = down.currentTarget as HTMLElement
    const began = sizeNow()
    const stop = new AbortController()
    target.setPointerCapture(down.pointerId)
    target.addEventListener('pointermove', (move) => set(began + (wide ? down.clientX - move.clientX : down.clientY - move.clientY)), { signal: stop.signal })
    for (const end of ['pointerup', 'pointercancel'] as const) target.addEventListener(end, () => stop.abort(), { signal: stop.signal })
  }
  return (
    <div ref={element} class={`splitter ${place}`} role="separator" tabIndex={0} aria-label={label} aria-orientation={wide ? 'vertical' : 'horizontal'} aria-valuemin={SMALLEST}
      aria-valuenow={SMALLEST} title="Drag, or use the arrow keys; Enter or a double click: the size that it had at first" onKeyDown={onKeyDown} onPointerDown={onPointerDown} onDblClick={() => set(null)} />
  )
}
