import { add } from '../tools/by-hand.js'

add('intercom')
