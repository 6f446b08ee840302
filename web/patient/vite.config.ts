// Builds the page into build/web/dist (or $TRIALWARD_WEB_OUT), from where tools/embed.py takes it
// into the program. The service worker is an entry of its own whose name has no hash; it is told
// here which files to keep, so that the page opens without a network.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

const PUBLIC_DIR = new URL('./public', import.meta.url).pathname;
const OUT_DIR = process.env['TRIALWARD_WEB_OUT'] ??
  new URL('../../build/web/dist', import.meta.url).pathname;

function keptFiles(): Plugin {
  return {
    name: 'kept-files',
    enforce: 'post',
    generateBundle(_, bundle) {
      const worker = bundle['sw.js'];
      if (worker?.type !== 'chunk') throw new Error('there is no sw.js');
      const names = Object.keys(bundle)
        .filter((name) => name !== 'sw.js' && name !== 'index.html')
        .concat(readdirSync(PUBLIC_DIR));
      const digest = createHash('sha256');
      for (const name of Object.keys(bundle).sort()) {
        const part = bundle[name]!;
        digest.update(name).update(part.type === 'chunk' ? part.code : part.source);
      }
      for (const name of readdirSync(PUBLIC_DIR)) {
        digest.update(readFileSync(`${PUBLIC_DIR}/${name}`));
      }
      const kept = ['/p', ...names.sort().map((name) => `/p/${name}`)];
      worker.code = worker.code
        .replace('"__FILES__"', JSON.stringify(kept))
        .replace('__VERSION__', digest.digest('hex').slice(0, 16));
    },
  };
}

export default defineConfig({
  base: '/p/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: OUT_DIR,
    emptyOutDir: true,
    target: ['chrome94', 'firefox94', 'safari15.4'],
    modulePreload: false,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: { index: 'index.html', sw: 'src/service_worker.ts' },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  plugins: [keptFiles()],
});
