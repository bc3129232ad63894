import { add } from '../tools/by-hand.js'

add('meta_pixel')
