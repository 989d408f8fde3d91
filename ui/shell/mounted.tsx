// A panel's own element, filled by the panel while it is open.
import { useEffect, useRef } from 'preact/hooks'
import type { Panel } from '../panels.ts'
import type { Session } from '../session.ts'

export function Mounted({ panel, session, class: name }: { panel: Panel; session: Session; class: string }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => panel.mount(place.current as HTMLDivElement, { session }) ?? undefined, [panel])
  return <div ref={place} class={name} id={`panel-${panel.id}`} />
}
