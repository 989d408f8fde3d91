// The await graph: which task awaits which, and which owns a lock, drawn and as a list, at the moment that is shown.
import type { PanelContext } from '../panels.ts'
import { awaitGraph, cycleInWords, edgeInWords, type AwaitGraph, type GraphEdge, type GraphNode } from '../recording/await-graph.ts'
import { waitLabel } from '../recording/explain.ts'
import { WAITING } from '../recording/track.ts'
import type { Session } from '../session.ts'
import { STATE_CLASS, STATE_SIGN, STATE_WORD } from '../timeline/words.ts'
import { TaskLink } from './parts.tsx'

const MOST_NODES = 40
const WIDTH = 172
const HEIGHT = 42
const GAP_X = 84
const GAP_Y = 16
const MARGIN = 28
const LONGEST_NAME = 22
const LONGEST_STATE = 19

export function GraphPanel({ session }: PanelContext) {
  void session.tick.value
  const recording = session.recording.value
  const { position, time } = session
  const graph = awaitGraph({ recording, position, time, passes: (lane) => session.passes(lane), selected: session.selected.value, most: MOST_NODES })
  if (graph.nodes.length === 0) {
    return <p class="panel-empty">No task awaits another one, a lock or a queue at this moment.{graph.apart > 0 && ` ${graph.apart.toLocaleString('en-US')} ${graph.apart === 1 ? 'task runs, is ready, or waits' : 'tasks run, are ready, or wait'} for time or the host.`}</p>
  }
  return (
    <div class="graph">
      {graph.cycles.map((cycle) => <p key={cycle[0]?.id} class="sentence cycle" role="status">{cycleInWords(cycle, graph.edges)}</p>)}
      <div class="graph-parts">
        <div class="graph-picture"><Picture graph={graph} session={session} /></div>
        <ul class="graph-words" aria-label="What awaits what, as a list">
          {graph.edges.map((edge) => (
            <li key={edge.from.id} class={edge.cycle ? 'cycle' : ''}>{edge.from.lane === null ? edge.from.name : <TaskLink session={session} task={edge.from.lane.id} />} {edgeInWords(edge)}{edge.cycle && <span class="hidden">, in a cycle</span>}</li>
          ))}
          {graph.more > 0 && <li class="soft">and {graph.more.toLocaleString('en-US')} more: use the filter, or select a task</li>}
        </ul>
      </div>
    </div>
  )
}

/** The drawing. Screen readers and the keyboard have the sentences beside it. */
function Picture({ graph: { nodes, edges }, session }: { graph: AwaitGraph; session: Session }) {
  const width = 2 * MARGIN + (Math.max(...nodes.map(({ column }) => column)) + 1) * (WIDTH + GAP_X) - GAP_X
  // Below the last row, arrows that go back have room.
  const height = 2 * MARGIN + (Math.max(...nodes.map(({ row }) => row)) + 1) * (HEIGHT + GAP_Y) - GAP_Y + (edges.some(goesBack) ? 26 : 0)
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <defs>
        {['plain', 'cycle'].map((name) => (
          <marker key={name} id={`arrow-${name}`} class={`arrow ${name}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" /></marker>
        ))}
      </defs>
      {edges.map((edge) => <Arrow key={edge.from.id} edge={edge} floor={height - MARGIN} />)}
      {nodes.map((node) => <Node key={node.id} node={node} session={session} />)}
    </svg>
  )
}

const left = ({ column }: GraphNode): number => MARGIN + column * (WIDTH + GAP_X)
const top = ({ row }: GraphNode): number => MARGIN + row * (HEIGHT + GAP_Y)
const goesBack = ({ from, to }: GraphEdge): boolean => to.column <= from.column

function Arrow({ edge, floor }: { edge: GraphEdge; floor: number }) {
  const { from, to, what, cycle } = edge
  const [x0, y0] = [left(from) + WIDTH, top(from) + HEIGHT / 2]
  const [x1, y1] = [left(to), top(to) + HEIGHT / 2]
  // An arrow back goes below all rows.
  const path = goesBack(edge)
    ? `M${x0} ${y0}c34 0 34 ${floor - y0} 0 ${floor - y0}H${x1}c-34 0 -34 ${y1 - floor} -2 ${y1 - floor}`
    : `M${x0} ${y0}C${x0 + GAP_X / 2} ${y0} ${x1 - GAP_X / 2} ${y1} ${x1 - 2} ${y1}`
  const [x, y] = goesBack(edge) ? [(x0 + x1) / 2, floor - 5] : [(x0 + x1) / 2, (y0 + y1) / 2 - 5]
  return (
    <g class={`edge ${cycle ? 'cycle' : ''} ${what === 'is owned by' ? 'owned' : ''}`}>
      <path d={path} marker-end={`url(#arrow-${cycle ? 'cycle' : 'plain'})`} />
      <text x={x} y={y}>{what === 'is owned by' ? 'owned by' : what}</text>
    </g>
  )
}

function Node({ node: { kind, name, lane, span, cycle, ...place }, session }: { node: GraphNode; session: Session }) {
  const [x, y] = [left({ ...place } as GraphNode), top({ ...place } as GraphNode)]
  const what = span === null ? (kind === 'lock' ? 'lock' : kind === 'queue' ? 'queue' : 'ended')
    : span.state === WAITING ? waitLabel(span.info?.on, session.recording.value) : STATE_WORD[span.state].split(',')[0] as string
  const sign = span === null ? (kind === 'queue' ? '▤' : kind === 'lock' ? '◈' : '') : STATE_SIGN[span.state]
  return (
    <g class={`node ${kind} ${span === null ? '' : STATE_CLASS[span.state]} ${cycle ? 'cycle' : ''} ${lane !== null && lane.id === session.selected.value ? 'selected' : ''}`}
      onClick={() => { if (lane !== null) session.select(lane.id, true) }}>
      <title>{`${name}: ${what}`}</title>
      <rect x={x} y={y} width={WIDTH} height={HEIGHT} rx={kind === 'lock' || kind === 'queue' ? HEIGHT / 2 : 5} />
      <text x={x + 12} y={y + 17} class="name">{cut(name, LONGEST_NAME)}</text>
      <text x={x + 12} y={y + 33} class="what">{`${sign} ${cut(what, LONGEST_STATE)}`}</text>
    </g>
  )
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
