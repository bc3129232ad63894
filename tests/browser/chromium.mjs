// Starts Debian's Chromium for the tests.
import { chromium } from 'playwright-core'

export const startChromium = (extra = []) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP *.rdio.test 127.0.0.1, MAP rdio.test 127.0.0.1',
      ...extra,
    ],
  })
