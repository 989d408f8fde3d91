// Panels in tabs. The browser remembers the open one; the arrow keys move between tabs.
import { signal, type Signal } from '@preact/signals'
import { panels, panelsIn, type Panel, type PanelPlace } from '../panels.ts'
import type { Session } from '../session.ts'
import { remember, recall } from '../theme.ts'
import { Mounted } from './mounted.tsx'

const open: Partial<Record<PanelPlace, Signal<string>>> = {}

function opened(place: PanelPlace): Signal<string> {
  return (open[place] ??= signal(recall(`tab-${place}`) ?? ''))
}

/** Opens a panel, in any place. */
export function openPanel(id: string): void {
  const panel = panels.value.find((one) => one.id === id)
  if (panel === undefined) return
  const place = panel.place ?? 'dock'
  opened(place).value = id
  remember(`tab-${place}`, id)
}

export function PanelTabs({ session, place, label }: { session: Session; place: PanelPlace; label: string }) {
  const here = panelsIn(place, session)
  const current = here.find(({ id }) => id === opened(place).value) ?? here[0]
  if (current === undefined) return null
  const go = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0) return
    event.preventDefault()
    event.stopPropagation()
    const next = here[(here.indexOf(current) + step + here.length) % here.length] as Panel
    openPanel(next.id)
    document.getElementById(`tab-${next.id}`)?.focus()
  }
  return (
    <section class={`panels ${place}`} aria-label={label}>
      <div class="tabs" role="tablist" aria-label={label} onKeyDown={go}>
        {here.map((panel) => {
          const badge = panel.badge?.({ session }) ?? null
          return (
            <button
              type="button" role="tab" class="tab" id={`tab-${panel.id}`} aria-selected={panel === current} aria-controls={`panel-${panel.id}`}
              tabIndex={panel === current ? 0 : -1} onClick={() => openPanel(panel.id)} key={panel.id}
            >
              {panel.title}{badge !== null && badge !== 0 && <span class="badge">{badge}</span>}
            </button>
          )
        })}
      </div>
      <div class="panel-room" role="tabpanel" aria-labelledby={`tab-${current.id}`} tabIndex={0}>
        <Mounted key={current.id} panel={current} session={session} class="panel" />
      </div>
    </section>
  )
}
