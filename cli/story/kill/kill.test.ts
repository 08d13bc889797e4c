import t from 'tap'
import { killedStory } from '#cli/story/kill/story.js'

t.test('REL-001, REL-002, CORE-207, UX-001 killed three times during its event, the main job loses no reading, tells nothing twice and ends with every check held', { timeout: 900_000 }, async (t) => {
  await killedStory({ devices: 20, rate: 120, ports: 20_000 + (process.pid % 1500) * 8 }, ({ ok, text }) => t.ok(ok, text))
})
