// The list of what is alive, against a Map: the same members after any additions and removals.
import t from 'tap'
import fc from 'fast-check'
import { LiveList } from '../../src/runtime/live-list.ts'

const step = fc.record({ what: fc.constantFrom('add' as const, 'add' as const, 'remove' as const, 'again' as const), which: fc.nat(400) })

t.test('what is alive, by id', (t) => {
  fc.assert(fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
    const list = new LiveList<{ id: number; name: string }>()
    const map = new Map<number, { id: number; name: string }>()
    let id = 0
    for (const { what, which } of steps) {
      // Ids rise; `again` is an id that was there before.
      if (what === 'add' || what === 'again') {
        const member = { id: what === 'add' ? ++id : (which % (id + 1)), name: `${what} ${which}` }
        list.add(member)
        map.set(member.id, member)
      } else {
        list.remove(which)
        map.delete(which)
      }
      if (list.get(which) !== (map.get(which) ?? null)) throw new Error(`get(${which}) gives ${String(list.get(which)?.name)}`)
    }
    const [ours, theirs] = [[...list], [...map.values()]].map((members) => members.map(({ name, id }) => `${id} ${name}`).sort())
    if (String(ours) !== String(theirs)) throw new Error(`${String(ours)} instead of ${String(theirs)}`)
    list.clear()
    if ([...list].length > 0 || list.get(1) !== null) throw new Error('cleared')
  }), { numRuns: 300 })
  t.end()
})
