// Starts Debian's Chromium for the tests.
import { chromium } from 'playwright-core'

const options = {
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
    // A renderer kept ready for the next site would be one more process for each page.
    '--disable-features=SpareRendererForSitePerProcess',
    '--host-resolver-rules=MAP *.rdio.test 127.0.0.1, MAP rdio.test 127.0.0.1',
  ],
}

/** Gives the browser, and `kill`, which ends it whatever state it is in. */
export const startChromium = async () => {
  const server = await chromium.launchServer(options)
  const browser = await chromium.connect(server.wsEndpoint())
  return { browser, kill: () => server.kill() }
}
