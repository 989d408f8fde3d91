// From samples to figures: medians of each implementation, ratios to loopscope paired within a round, and the goals' verdicts.
import { goals } from './goals.mjs'
import { workloads } from './workloads.mjs'

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const spreadOf = (values) => ({ median: median(values), least: Math.min(...values), most: Math.max(...values) })

/** One row for each workload and implementation: the cost of a unit of work, and the ratio to loopscope. */
export function summarize({ samples, failures }) {
  const rows = []
  for (const name of Object.keys(workloads)) {
    const of = samples.filter(({ workload }) => workload === name)
    for (const implementation of new Set(of.map((sample) => sample.implementation))) {
      const own = of.filter((sample) => sample.implementation === implementation)
      const ratios = pairs(own, samples, { workload: name, implementation: 'loopscope' })
      rows.push({
        workload: name, implementation, samples: own.length,
        cpu: own[0].cpu === undefined ? null : spreadOf(own.map(({ cpu }) => cpu)),
        wall: own[0].wall === undefined ? null : spreadOf(own.map(({ wall }) => wall)),
        thread: own[0].metric === 'thread' ? spreadOf(own.map(({ thread }) => thread)) : null,
        rss: own[0].rss === undefined ? null : spreadOf(own.map(({ rss }) => rss)),
        ratio: ratios.length === 0 ? null : spreadOf(ratios),
      })
    }
  }
  return { rows, verdicts: goals.flatMap((goal) => verdict(goal, samples)), failures }
}

function verdict(goal, samples) {
  const peer = samples.filter((s) => s.workload === (goal.of ?? goal.workload) && s.implementation === goal.peer)
  const ratios = pairs(peer, samples, { workload: goal.workload, implementation: 'loopscope' })
  if (ratios.length === 0) return []
  const ratio = spreadOf(ratios)
  const meets = (value) => (goal.atMost === undefined ? value >= goal.atLeast : value <= goal.atMost)
  const met = meets(ratio.median)
  return [{ ...goal, ratio, met, clear: meets(ratio.least) === met && meets(ratio.most) === met }]
}

// Each peer's sample over loopscope's of the same round: what slowed the whole machine for a while slowed both.
function pairs(peerSamples, samples, { workload, implementation }) {
  return peerSamples.flatMap((peer) => {
    const own = samples.find((s) => s.round === peer.round && s.workload === workload && s.implementation === implementation)
    return own === undefined ? [] : [peer[peer.metric] / own[own.metric]]
  })
}
