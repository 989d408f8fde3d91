// Rows of a database made into linked objects, as object mappers do.
// asks: /wait /report
// expects: function=hydrate line=here kind=javascript request=/report
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from './serve.mjs'

const rows = Array.from({ length: 4000 }, (_, id) => ({ order_id: id, order_total: id * 1.5, customer_id: id % 500, customer_name: `customer ${id % 500}` }))

function hydrate(until) {
  const orders = []
  for (const row of rows) {
    const known = orders.find(({ customer }) => customer.id === row.customer_id) // here
    const customer = known?.customer ?? { id: row.customer_id, name: row.customer_name }
    orders.push(structuredClone({ id: row.order_id, total: row.order_total, customer })) // here
    while (orders.length === rows.length && performance.now() < until) orders.sort((a, b) => Math.sin(a.id) - Math.sin(b.id)) // here
  }
  return orders.length
}

serve({ '/report': async () => { await sleep(20); return hydrate(performance.now() + 800) } })
