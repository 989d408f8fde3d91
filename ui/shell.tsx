// The frame of the page: header, tools, lanes, the panels beside and below them, and messages when there is nothing to show.
import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import { address } from './address.ts'
import { installKeys } from './keys.ts'
import { panels, panelsIn } from './panels.ts'
import type { Session } from './session.ts'
import { Empty, NotHere } from './shell/empty.tsx'
import { Header } from './shell/header.tsx'
import { Help } from './shell/help.tsx'
import { Gone, LoopBar } from './shell/loops.tsx'
import { LanesView } from './shell/lanes.tsx'
import { Mounted } from './shell/mounted.tsx'
import { Splitter } from './shell/splitter.tsx'
import { PanelTabs } from './shell/tabs.tsx'
import { Toolbar } from './shell/toolbar.tsx'
import { applyTheme } from './theme.ts'

/** Draws the page into `root`. */
export function mountShell(root: HTMLElement, session: Session): void {
  applyTheme(session)
  installKeys(session)
  render(<Shell session={session} />, root)
}

function Shell({ session }: { session: Session }) {
  const view = address.value.get('view')
  const loop = address.value.get('loop')
  // Back and forward, and an address that was typed.
  useEffect(() => { if (loop !== session.loop.peek()) session.look(loop) }, [loop])
  const open = view === null ? undefined : panels.value.find(({ id, place }) => place === 'view' && id === view)
  const missing = open?.needs === undefined ? false : session.can(open.needs) !== true
  return (
    <div class="shell" data-view={open?.id ?? 'live'}>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus() }}>Skip to the lanes</a>
      <Header session={session} />
      <main id="main" tabIndex={-1} class="main" aria-label={open?.title ?? 'Live view'}>
        <h1 class="hidden">{open?.title ?? 'Live view'}</h1>
        {open !== undefined
          ? missing ? <NotHere session={session} panel={open} /> : <Mounted key={open.id} panel={open} session={session} class="view" />
          : (
            <>
              <LoopBar session={session} />
              <Toolbar session={session} />
              <div class="stage">
                <div class="lanes">
                  <LanesView session={session} />
                  <Empty session={session} />
                  <Gone session={session} />
                </div>
                {panelsIn('side', session).length > 0 && <><Splitter place="side" label="Width of the panel beside the lanes" /><PanelTabs session={session} place="side" label="Beside the lanes" /></>}
              </div>
              <Splitter place="dock" label="Height of the panel below the lanes" />
              <PanelTabs session={session} place="dock" label="Below the lanes" />
            </>
          )}
      </main>
      <Help session={session} />
      <NoticeLine session={session} />
    </div>
  )
}

function NoticeLine({ session }: { session: Session }) {
  const notice = session.notice.value
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice !== null && <div class={`notice ${notice.kind}`}><span aria-hidden="true">{notice.kind === 'bad' ? '✕' : '✓'}</span> {notice.text}</div>}
    </div>
  )
}
