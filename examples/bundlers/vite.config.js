export default {
  build: { outDir: 'dist/vite', lib: { entry: 'main.js', formats: ['iife'], name: 'app', fileName: () => 'main.js' } },
}
