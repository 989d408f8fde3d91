// `loopscope/register`: watches the program before which it is loaded, by `node --import loopscope/register` or by
// NODE_OPTIONS. Where there is nothing to watch, little else is loaded.
import { mayWatch } from './may-watch.ts'

if (mayWatch()) {
  const { watchFromStart } = await import('./preload.ts')
  watchFromStart()
}
