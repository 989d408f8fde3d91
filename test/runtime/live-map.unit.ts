// What is alive, against a Map: the same members after any additions and removals.
import t from 'tap'
import fc from 'fast-check'
import { LiveMap } from '../../src/runtime/live-map.ts'

const step = fc.record({ what: fc.constantFrom('add' as const, 'add' as const, 'remove' as const, 'again' as const), which: fc.nat(400) })

t.test('what is alive, by id', (t) => {
  fc.assert(fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
    const live = new LiveMap<{ id: number; name: string }>()
    const map = new Map<number, { id: number; name: string }>()
    let id = 0
    for (const { what, which } of steps) {
      // Ids rise; `again` is an id that was there before.
      if (what === 'add' || what === 'again') {
        const member = { id: what === 'add' ? ++id : (which % (id + 1)), name: `${what} ${which}` }
        live.set(member.id, member)
        map.set(member.id, member)
      } else {
        if (live.delete(which) !== map.delete(which)) throw new Error(`delete(${which})`)
      }
      if (live.get(which) !== map.get(which) || live.has(which) !== map.has(which)) throw new Error(`get(${which}) gives ${String(live.get(which)?.name)}`)
      if (live.size !== map.size) throw new Error(`size ${live.size} instead of ${map.size}`)
    }
    const [ours, theirs] = [live, map].map((members) => [...members].map(([key, { name, id }]) => `${key} ${id} ${name}`).sort())
    if (String([...live.values()].map(({ id }) => id)) !== String([...live.keys()])) throw new Error('values and keys')
    if (String(ours) !== String(theirs)) throw new Error(`${String(ours)} instead of ${String(theirs)}`)
    live.clear()
    if ([...live].length > 0 || live.size > 0 || live.get(1) !== undefined) throw new Error('cleared')
  }), { numRuns: 300 })
  t.end()
})
