import { add } from '../tools/by-hand.js'

add('google_tag', ['ids', 'user_properties'])
