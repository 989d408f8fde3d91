// A small flame graph of a stall: each box is a line that was on the stack, as wide as its part of the time. What it called is
// below it. The same is in the list of shares, as text.
import { placed } from '../recording/stall-kind.ts'
import { milliseconds } from '../recording/time.ts'
import type { FlameBox } from '../../src/events/schema.ts'
import { place } from '../recording/explain.ts'

export function Flame({ flame }: { flame: readonly FlameBox[] }) {
  const boxes = placed(flame)
  const levels = Math.max(0, ...boxes.map(({ depth }) => depth + 1))
  const text = (box: FlameBox): string => `${box.file === '' ? box.function : place({ ...box, column: 0 })}, ${milliseconds(box.seconds)}`
  return (
    <div class="flame" role="img" aria-label={`Flame graph: ${boxes.filter(({ depth }) => depth === levels - 1 || depth === 0).map(text).slice(0, 3).join('; ')}`} style={{ '--levels': levels }}>
      {boxes.map((box, at) => (
        <span key={at} class={box.file === '' ? 'native' : ''} title={text(box)} style={{ 'left': `${box.left * 100}%`, 'width': `${box.width * 100}%`, '--level': box.depth }}>{box.function || '(anonymous)'}</span>
      ))}
    </div>
  )
}
