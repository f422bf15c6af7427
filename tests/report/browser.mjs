/*
 * browser.mjs MODULES CHROMIUM KEEP PAGE... - opens each page in headless Chromium, in every
 * scheme and width, and prints one line "PASS what" or "FAIL what: why" for each thing that must
 * hold. KEEP: a folder for pictures, or "".
 */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , modules, executablePath, keep, ...pages] = process.argv;
const require = createRequire(join(modules, 'here.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const { HtmlValidate } = require('html-validate');

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const VIEWS = [['light', 320], ['dark', 768], ['light', 1200], ['dark', 1200]]
    .map(([colorScheme, width]) => ({ colorScheme, viewport: { width, height: 900 } }));

function tell(what, wrong) {
    console.log(wrong.length === 0 ? `PASS ${what}` : `FAIL ${what}: ${wrong.join('; ')}`);
}

/* What a page may not do, whatever its view. */
function watch(page, url) {
    const wrong = [];
    page.on('console', m => wrong.push(`console ${m.type()}: ${m.text()}`));
    page.on('pageerror', e => wrong.push(`error: ${e}`));
    page.on('dialog', d => { wrong.push(`dialog: ${d.message()}`); d.dismiss(); });
    page.on('request', r => { if (r.url().split('#')[0] !== url) wrong.push(`request: ${r.url()}`); });
    return wrong;
}

async function openAll(page) {
    await page.evaluate(() => { for (const d of document.querySelectorAll('details')) d.open = true; });
}

async function checkAxe(page, what) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    tell(`${what}, axe`, violations.map(v => `${v.impact} ${v.id} ${v.nodes[0].html.slice(0, 120)}`));
}

async function checkWidth(page, what) {
    const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    tell(`${what}, no scrolling sideways`, wide > room ? [`${wide} in ${room}`] : []);
}

/* Text that is cut off by its own box, but for what can be scrolled. */
async function checkCut(page, what) {
    const wrong = await page.evaluate(() => [...document.querySelectorAll('svg text')].filter(t => {
        const box = t.getBBox(), all = t.ownerSVGElement.viewBox.baseVal;
        return box.x < 0 || box.x + box.width > all.width || box.y + box.height > all.height;
    }).map(t => t.textContent));
    tell(`${what}, drawings inside their frames`, wrong);
}

/* The policy stops what is not in the file, and a script that came in after all. */
async function checkPolicy(page, what) {
    const ran = await page.evaluate(async () => {
        const script = document.createElement('script');
        script.textContent = 'globalThis.ran = true';
        document.body.append(script);
        const styled = document.createElement('p');
        styled.setAttribute('style', 'position: fixed');
        document.body.append(styled);
        const fetched = await fetch('http://127.0.0.1:9/').then(() => true, () => false);
        return [globalThis.ran === true && 'script', fetched && 'fetch',
            getComputedStyle(styled).position === 'fixed' && 'style'].filter(Boolean);
    });
    tell(`${what}, policy`, ran);
}

/* Tab reaches the skip link first, then everything in order; Enter opens a table. */
async function checkKeyboard(page, what) {
    const wrong = [];
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.className) !== 'skip')
        wrong.push('the first stop is not the skip link');
    await page.keyboard.press('Enter');
    if (await page.evaluate(() => document.activeElement.id) !== 'findings')
        wrong.push('the skip link does not lead to the findings');
    const stops = await page.evaluate(() => [...document.querySelectorAll('a, summary, [tabindex="0"]')].length);
    for (let i = 0; i < stops; i++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate(() => document.activeElement.tagName) === 'SUMMARY') {
            await page.keyboard.press('Enter');
            if (!await page.evaluate(() => document.activeElement.parentElement.open))
                wrong.push('Enter does not open the table');
            break;
        }
    }
    tell(`${what}, keyboard`, wrong);
}

async function checkPrint(page, name) {
    await page.emulateMedia({ media: 'print' });
    const hidden = await page.evaluate(() => [...document.querySelectorAll('details table')]
        .filter(t => !t.checkVisibility()).length);
    tell(`${name}, printed with its tables`, hidden > 0 ? [`${hidden} tables are not there`] : []);
    const pdf = await page.pdf({ format: 'A4', path: keep ? join(keep, `${name}.pdf`) : undefined });
    tell(`${name}, printed`, pdf.length > 1000 ? [] : ['empty']);
}

async function checkView(browser, file, view) {
    const name = basename(file, '.html'), url = pathToFileURL(file).href;
    const what = `${name} ${view.colorScheme} ${view.viewport.width}`;
    const context = await browser.newContext(view), page = await context.newPage();
    const wrong = watch(page, url);
    await page.goto(url);
    if (keep)
        await page.screenshot({ path: join(keep, `${what.replaceAll(' ', '-')}.png`), fullPage: true });
    await checkWidth(page, what);
    if (view.viewport.width === 1200)
        await checkKeyboard(page, what);
    await openAll(page);
    await checkWidth(page, `${what} opened`);
    await checkCut(page, what);
    await checkAxe(page, what);
    tell(`${what}, silent`, wrong);
    await context.close();
}

async function checkOnce(browser, file) {
    const name = basename(file, '.html');
    const context = await browser.newContext(), page = await context.newPage();
    await page.goto(pathToFileURL(file).href);
    await checkPrint(page, name);
    await checkPolicy(page, name);
    await context.close();
    const validator = new HtmlValidate({ root: true, extends: ['html-validate:standard'] });
    const report = await validator.validateFile(file);
    tell(`${name}, valid`, report.results.flatMap(r => r.messages)
        .map(m => `${m.line}:${m.column} ${m.ruleId} ${m.message}`));
}

const browser = await chromium.launch({ executablePath, args: ARGS });
for (const file of pages) {
    for (const view of VIEWS)
        await checkView(browser, file, view);
    await checkOnce(browser, file);
}
await browser.close();
