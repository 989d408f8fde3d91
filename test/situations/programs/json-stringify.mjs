// JSON.stringify of about 35 MB.
// asks: /wait /export
// expects: function=save line=here kind=javascript,native request=/export innocent=measure
import { serve } from './serve.mjs'

const rows = Array.from({ length: 500_000 }, (_, id) => ({ id, name: `the name of number ${id}`, tags: ['a', 'b'] }))

function save() {
  return JSON.stringify(rows) // here
}

function measure(text) {
  return text.length
}

serve({ '/export': () => measure(save()) + measure(save()) })
