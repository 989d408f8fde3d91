// Plain objects made into instances of a class, 60,000 of them.
// asks: /wait /users
// expects: function=toUsers line=here kind=javascript request=/users
// packages: class-transformer@0.5.1 reflect-metadata@0.2.2
import 'reflect-metadata'
import { plainToInstance } from 'class-transformer'
import { serve } from './serve.mjs'

class User {}
const rows = Array.from({ length: 60_000 }, (_, id) => ({ id, name: `user ${id}`, address: { street: `street ${id}`, town: 'town' }, tags: ['a', 'b'] }))

function toUsers() {
  return plainToInstance(User, rows) // here
}

serve({ '/users': () => toUsers().length })
