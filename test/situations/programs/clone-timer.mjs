// A cache that a timer copies deeply. It belongs to no request.
// asks: /wait
// expects: function=refresh line=here kind=javascript
// packages: lodash.clonedeep@4.5.0
import cloneDeep from 'lodash.clonedeep'
import { serve } from './serve.mjs'

let cache = Array.from({ length: 60_000 }, (_, id) => ({ id, name: `entry ${id}`, parts: [{ a: id }, { b: id }] }))

function refresh() {
  cache = cloneDeep(cache) // here
}

setTimeout(refresh, 1500)
serve({})
