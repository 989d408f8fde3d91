// `loopscope/register` for `node --require`, which loads only modules that wait for nothing.
import { mayWatch } from './may-watch.ts'
import { watchFromStart } from './preload.ts'

if (mayWatch()) watchFromStart()
