// A key derived synchronously.
// asks: /wait /token
// expects: function=derive line=here kind=native request=/token innocent=show
import { pbkdf2Sync } from 'node:crypto'
import { serve } from './serve.mjs'

function derive() {
  return pbkdf2Sync('secret', 'salt', 600_000, 64, 'sha512') // here
}

function show(key) {
  return key.toString('hex')
}

serve({ '/token': () => show(derive()) })
