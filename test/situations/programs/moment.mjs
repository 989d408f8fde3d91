// Times converted between zones, one by one in a loop.
// asks: /wait /calendar
// expects: function=calendar line=here kind=javascript request=/calendar
// packages: moment-timezone@0.6.0
import moment from 'moment-timezone'
import { serve } from './serve.mjs'

function calendar() {
  let text = ''
  for (let hour = 0; hour < 60_000; hour++) text = moment.tz(1.7e12 + hour * 3.6e6, 'Europe/Vienna').tz('America/New_York').format('LLLL') // here
  return text
}

serve({ '/calendar': () => calendar() })
