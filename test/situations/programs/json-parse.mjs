// JSON.parse of about 35 MB, a few times.
// asks: /wait /import
// expects: function=load line=here kind=native request=/import innocent=count
import { serve } from './serve.mjs'

const text = JSON.stringify(Array.from({ length: 500_000 }, (_, id) => ({ id, name: `the name of number ${id}`, tags: ['a', 'b'] })))

function load() {
  return JSON.parse(text) // here
}

function count(rows) {
  return rows.length
}

serve({ '/import': () => count(load()) + count(load()) })
