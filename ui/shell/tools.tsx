// Exports what is shown: the trace for Perfetto, a link, the terminal command for the same.
import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { paths } from '../../src/http/paths.ts'
import type { Session } from '../session.ts'
import { moveInMenu, useMenu } from './menu.tsx'
import { copy } from './run-menu.tsx'

export function Tools({ session }: { session: Session }) {
  const open = useSignal(false)
  const place = useRef<HTMLDivElement>(null)
  useMenu(open, place)
  useLayoutEffect(() => { if (open.value) place.current?.querySelector<HTMLElement>('[role^="menuitem"]')?.focus() }, [open.value])
  const close = (act: () => void) => (): void => {
    open.value = false
    act()
  }
  const run = session.filter.value.run ?? Number(new URLSearchParams(session.hash.value).get('run') ?? NaN)
  const known = Number.isInteger(run) ? run : session.example.value?.id
  const shown = (): string => {
    const { selected, filter } = session
    const lane = selected.value === null ? undefined : session.recording.value.lanes.get(selected.value)
    const events = (query = ''): string => session.api.curl(session.api.ofLoop(`${paths.events}${query}`), '-N')
    if (lane?.kind === 'task') return events(`?task=${lane.id}`)
    if (filter.value.request !== null) return events(`?request=${filter.value.request}`)
    if (filter.value.run !== null) return events(`?run=${filter.value.run}`)
    return events()
  }
  return (
    <div class="group tools">
      <button type="button" class="icon-button" onClick={() => session.timeline?.zoom(0.7)} aria-label="Zoom in" title="Zoom in (W)">+</button>
      <button type="button" class="icon-button" onClick={() => session.timeline?.zoom(1 / 0.7)} aria-label="Zoom out" title="Zoom out (S)">−</button>
      <button type="button" class="button" onClick={() => session.timeline?.fit()} title="Show everything (F)">Fit</button>
      <div class="run-menu" ref={place}>
        <button type="button" class="button" aria-expanded={open.value} aria-haspopup="menu" onClick={() => { open.value = !open.value }}>Export <span aria-hidden="true">▾</span></button>
        {open.value && (
          <div class="popover right menu" role="menu" aria-label="Export" onKeyDown={moveInMenu}>
            {known !== undefined && <a role="menuitem" class="menu-item" href={session.api.trace(known).href} download={`run-${known}.trace.json`} onClick={close(() => {})}>
              Trace of run {known}<span class="soft">opens in ui.perfetto.dev</span></a>}
            <button type="button" role="menuitem" class="menu-item" onClick={close(() => download(session))}>The events shown<span class="soft">one JSON object per line</span></button>
            <button type="button" role="menuitem" class="menu-item" onClick={close(() => void copy(session, location.href))}>Copy the link<span class="soft">to this run or this stretch of time</span></button>
            <button type="button" role="menuitem" class="menu-item" onClick={close(() => void copy(session, shown()))}>Copy the curl<span class="soft">{shown()}</span></button>
            {session.can('requests') && (
              <button type="button" role="menuitemcheckbox" aria-checked={session.filter.value.own} class="menu-item check"
                onClick={() => { session.filter.value = { ...session.filter.value, own: !session.filter.value.own } }}>
                <span aria-hidden="true">{session.filter.value.own ? '☑' : '☐'}</span> Show the requests of this page
              </button>
            )}
          </div>
        )}
      </div>
    </div>
  )
}

/** The events in the window, as a file. */
function download(session: Session): void {
  const recording = session.recording.value
  const view = session.timeline?.view
  const { run } = session.filter.value
  const events = recording.events.filter((event) => (view === undefined || (event.t >= view.from && event.t <= view.to)) && (run === null || event.run === run))
  const url = URL.createObjectURL(new Blob([events.map((event) => `${JSON.stringify(event)}\n`).join('')], { type: 'application/x-ndjson' }))
  const link = document.createElement('a')
  link.href = url
  link.download = run === null ? 'events.ndjson' : `run-${run}.ndjson`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}
