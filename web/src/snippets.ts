// What is pasted to send the first events, with the key filled in.
export interface Snippet {
  name: string
  says: string
  code: (host: string, key: string) => string
}

export const SNIPPETS: Snippet[] = [
  {
    name: 'Website',
    says: 'Into <head>. `onym keys --snippet` prints a longer one that loses no call made before the library has loaded.',
    code: (host, key) => `<script>
  !function(){var a=window.analytics=window.analytics||[];if(a.initialize||a.invoked)return;a.invoked=1;
  a.factory=function(m){return function(){a.push([m].concat([].slice.call(arguments)));return a}};
  "track page identify group alias reset ready on once off".split(" ").forEach(function(m){a[m]=a.factory(m)});
  var s=document.createElement("script");s.async=1;s.src="${host}/analytics.js/v1/${key}/analytics.min.js";
  document.head.appendChild(s);a._writeKey="${key}";a._cdn="${host}";a.page()}()
</script>`,
  },
  {
    name: 'npm',
    says: 'In the browser, from the package that build/browser/npm has, or with @segment/analytics-next and its cdnURL.',
    code: (host, key) => `import { AnalyticsBrowser } from '@onym/browser'
export const analytics = AnalyticsBrowser.load({ writeKey: '${key}' }, { apiHost: '${host}' })

analytics.page()
analytics.identify('12345', { email: 'kim@example.com' })`,
  },
  {
    name: 'curl',
    says: 'One call, to see it arrive.',
    code: (host, key) => `curl ${host}/v1/track -u ${key}: -H 'Content-Type: application/json' \\
     -d '{"userId":"12345","event":"Account Created","properties":{"plan":"free"}}'`,
  },
  {
    name: 'Node',
    says: 'npm install @segment/analytics-node',
    code: (host, key) => `import { Analytics } from '@segment/analytics-node'
const analytics = new Analytics({ writeKey: '${key}', host: '${host}' })

analytics.track({ userId: '12345', event: 'Account Created', properties: { plan: 'free' } })`,
  },
  {
    name: 'Python',
    says: 'pip install segment-analytics-python',
    code: (host, key) => `import segment.analytics as analytics
analytics.write_key = '${key}'
analytics.host = '${host}'

analytics.track('12345', 'Account Created', {'plan': 'free'})`,
  },
  {
    name: 'Go',
    says: 'go get github.com/segmentio/analytics-go/v3',
    code: (host, key) => `client, _ := analytics.NewWithConfig("${key}", analytics.Config{Endpoint: "${host}"})
defer client.Close()

client.Enqueue(analytics.Track{UserId: "12345", Event: "Account Created"})`,
  },
  {
    name: 'Java',
    says: 'com.segment.analytics.java:analytics',
    code: (host, key) => `Analytics analytics = Analytics.builder("${key}").endpoint("${host}").build();

analytics.enqueue(TrackMessage.builder("Account Created").userId("12345"));`,
  },
  {
    name: 'Ruby',
    says: 'gem install analytics-ruby',
    code: (
      host,
      key,
    ) => `analytics = Segment::Analytics.new(write_key: '${key}', host: '${host.replace(/^https?:\/\//, '')}')

analytics.track(user_id: '12345', event: 'Account Created')`,
  },
  {
    name: 'PHP',
    says: 'composer require segmentio/analytics-php',
    code: (host, key) => `Segment\\Segment::init('${key}', ['host' => '${host.replace(/^https?:\/\//, '')}']);

Segment\\Segment::track(['userId' => '12345', 'event' => 'Account Created']);`,
  },
  {
    name: 'RudderStack',
    says: 'Its browser SDK, with Onym as its data plane.',
    code: (host, key) => `rudderanalytics.load('${key}', '${host}', { configUrl: '${host}' })

rudderanalytics.track('Account Created', { plan: 'free' })`,
  },
]
