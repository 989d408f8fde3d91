// A schema that a hostile input makes slow, after an await.
// asks: /wait /order
// expects: function=check line=here kind=javascript,native request=/order
// packages: zod@4.1.12
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { serve } from './serve.mjs'

const Order = z.object({ code: z.string().regex(/^(\d+)*x$/) })

function check(input) {
  return Order.safeParse(input).success // here
}

serve({ '/order': async () => { await sleep(50); return check({ code: '1'.repeat(27) }) } })
