// The asyncio queues: slots up to maxsize, items coloured by their producer, waiting putters on the left and getters on the
// right, and how full each queue was over time.
import { useEffect, useRef } from 'preact/hooks'
import type { PanelContext } from '../panels.ts'
import type { QueueTrack } from '../recording/queues.ts'
import type { Session } from '../session.ts'
import { TaskLink } from './parts.tsx'
import { sizeOf } from '../timeline/zoom.ts'

const MOST_SLOTS = 60
const MOST_QUEUES = 12
const MOST_JOINERS = 5
const SHAPES = ['●', '■', '▲', '◆', '★', '✚', '▼', '◉']

export function QueuesPanel({ session }: PanelContext) {
  void session.tick.value
  const recording = session.recording.value
  const tracks = [...recording.queues.all.values()].filter((track) => track.at(session.position) !== null).reverse()
  if (tracks.length === 0) {
    return <p class="panel-empty">No asyncio queue has been used yet. {session.can('examples') === true && <>Example 5 has producers and consumers around one. <button type="button" class="button" onClick={() => void session.start(5, { speed: '4', maxsize: '4' })}>▶ Run it, with a queue of 4</button></>}</p>
  }
  return <div class="queues">{tracks.slice(0, MOST_QUEUES).map((track) => <QueueView key={track.id} track={track} session={session} />)}</div>
}

function QueueView({ track, session }: { track: QueueTrack; session: Session }) {
  void session.tick.value
  const recording = session.recording.value
  const { position } = session
  const point = track.at(position)
  const size = point?.size ?? 0
  const { putters, getters, joiners } = recording.queues.blocked(track.id, recording.lanes.values(), position)
  const slots = track.maxsize > 0 ? Math.min(track.maxsize, MOST_SLOTS) : Math.max(6, Math.min(size + 1, MOST_SLOTS))
  const items = track.items(position, slots)
  const producers = [...new Set(items.filter((task): task is number => task !== null))]
  const hue = (task: number | null): number => task === null ? 0 : task % 8 + 1
  return (
    <section class="queue" aria-label={`Queue ${track.id}: ${size} of ${track.maxsize || 'any number of'} items`}>
      <h3>Queue {track.id} <span class="soft">{size} {track.maxsize > 0 ? `of ${track.maxsize}` : size === 1 ? 'item' : 'items'}, {point?.unfinished ?? 0} not done</span></h3>
      <div class="queue-row">
        <Side session={session} lanes={putters.map(({ id }) => id)} title="waiting putters" none="none" />
        <ol class="queue-slots" aria-label="Items, the next one to leave at the right">
          {Array.from({ length: slots }, (_, at) => {
            // New items enter on the left; the oldest leaves on the right.
            const index = slots - 1 - at
            const item = items[index]
            const filled = index < items.length
            const name = item == null ? 'an unknown task' : recording.lanes.get(item)?.name ?? `task ${item}`
            return <li key={index} class={filled ? `item hue-${hue(item ?? null)}` : ''} title={filled ? `put by ${name}` : 'free'}>{filled && <span aria-hidden="true">{SHAPES[hue(item ?? null) % SHAPES.length]}</span>}{filled && <span class="hidden">put by {name}</span>}</li>
          })}
        </ol>
        {size > slots && <span class="soft">+{size - slots}</span>}
        <Side session={session} lanes={getters.map(({ id }) => id)} title="waiting getters" none="none" />
      </div>
      <p class="soft queue-notes">
        {producers.slice(0, 8).map((task) => <span key={task} class={`producer hue-${hue(task)}`}><span aria-hidden="true">{SHAPES[hue(task) % SHAPES.length]}</span> <TaskLink session={session} task={task} /></span>)}
        {joiners.length > 0 && <span>join() is awaited by {joiners.slice(0, MOST_JOINERS).map(({ id }) => <TaskLink key={id} session={session} task={id} />)}{joiners.length > MOST_JOINERS && ` +${joiners.length - MOST_JOINERS}`}</span>}
      </p>
      <Depth track={track} session={session} />
    </section>
  )
}

function Side({ session, lanes, title, none }: { session: Session; lanes: number[]; title: string; none: string }) {
  return (
    <div class="queue-side">
      <span class="soft">{title}</span>
      {lanes.length === 0 ? <span class="faint">{none}</span> : lanes.slice(0, 5).map((task) => <TaskLink key={task} session={session} task={task} />)}
      {lanes.length > 5 && <span class="soft">+{lanes.length - 5}</span>}
    </div>
  )
}

/** How full it was, over the window of the lanes. */
function Depth({ track, session }: { track: QueueTrack; session: Session }) {
  void session.tick.value
  const place = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const canvas = place.current
    const context = canvas?.getContext('2d')
    const view = session.timeline?.view
    if (canvas == null || context == null || view === undefined) return
    const { width, height, zoom } = sizeOf(canvas)
    const ratio = (globalThis.devicePixelRatio || 1) * zoom
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
    context.scale(ratio, ratio)
    const style = getComputedStyle(canvas)
    const most = Math.max(1, track.maxsize, ...track.points.map(({ size }) => size))
    const x = (t: number): number => Math.max(0, Math.min(width, (t - view.from) / view.span * width))
    const y = (size: number): number => height - 2 - size / most * (height - 6)
    const end = Math.min(session.now(), view.to)
    context.beginPath()
    context.moveTo(0, height - 2)
    let last = 0
    // One pixel shows the largest and smallest size in its time, however many events it covers.
    let column = { at: 0, high: 0, low: 0 }
    const flush = (): void => {
      for (const size of [column.high, column.low, last]) context.lineTo(column.at, y(size))
    }
    for (const { t, size } of track.points) {
      if (t > view.to) break
      const at = Math.floor(x(t))
      if (t <= view.from) column = { at: 0, high: size, low: size }
      else if (at === column.at) column = { at, high: Math.max(column.high, size), low: Math.min(column.low, size) }
      else {
        flush()
        context.lineTo(at, y(last))
        column = { at, high: Math.max(last, size), low: Math.min(last, size) }
      }
      last = size
    }
    flush()
    context.lineTo(x(end), y(last))
    context.strokeStyle = style.getPropertyValue('--accent')
    context.lineWidth = 1.4
    context.stroke()
    context.lineTo(x(end), height - 2)
    context.closePath()
    context.globalAlpha = 0.16
    context.fillStyle = style.getPropertyValue('--accent')
    context.fill()
    context.globalAlpha = 1
    if (track.maxsize > 0) {
      context.setLineDash([3, 3])
      context.strokeStyle = style.getPropertyValue('--red')
      context.lineWidth = 1
      context.beginPath()
      context.moveTo(0, y(track.maxsize))
      context.lineTo(width, y(track.maxsize))
      context.stroke()
    }
  })
  return <canvas ref={place} class="depth" role="img" aria-label={`Number of items in queue ${track.id} over the time that the lanes show`} />
}
