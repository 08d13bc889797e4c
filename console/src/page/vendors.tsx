import { useState } from 'preact/hooks'
import { all, get, post, type List } from '../api.ts'
import { plain } from '../format.ts'
import { useLoad } from '../live.ts'
import { may, serverNow } from '../session.ts'
import { t, type Key } from '../text/index.ts'
import { Act, Await, D, Field, Secret, State, Time, text } from '../part/basics.tsx'
import { Dialog } from '../part/dialog.tsx'
import { Table } from '../part/table.tsx'

interface Vendor { id: string; name: string; pen: number; approval: string; policy: string; active: boolean }
interface Waiting { id: string; vendor: string; hwType: string; hwSerialNum: string; requester: string; state: string }
interface Certificate { id: string; serial: string; lfdi: string | null; state: string; vendor: string; hwSerialNum: string; notAfter: string; notBefore: string; revokedAt: string | null; reason: string | null }

export function Vendors() {
  const found = useLoad(async () => {
    const [vendors, waiting, certificates] = await Promise.all([get<List<Vendor>>('/vendors'), get<List<Waiting>>('/enrolment-requests'), all<Certificate>('/certificates')])
    return { vendors: vendors.items, waiting: waiting.items, certificates }
  }, [], { every: 15_000 })
  const officer = may('admin', 'caOfficer')
  return (
    <><h1>{t('vendor.list')}</h1><Await of={found}>{({ vendors, waiting, certificates }) => (
      <>
        <section class="card"><h2>{t('vendor.queue')}</h2>{waiting.length === 0 ? <p>{t('vendor.queueEmpty')}</p> : <ul class="trouble">{waiting.map((w) => <li key={w.id} class="row"><D>{w.vendor} · {w.hwSerialNum} · {w.requester}</D><State of={w.state} />{officer && <><Act label="vendor.approve" kind="primary" do={async () => { await post(`/enrolment-requests/${encodeURIComponent(w.vendor)}/${encodeURIComponent(w.hwSerialNum)}/decision`, { decision: 'approve' }); found.reload() }} /><Act label="vendor.reject" do={async () => { await post(`/enrolment-requests/${encodeURIComponent(w.vendor)}/${encodeURIComponent(w.hwSerialNum)}/decision`, { decision: 'reject' }); found.reload() }} /></>}</li>)}</ul>}</section>
        <h2>{t('cert.board')}</h2>
        <Table<Certificate> name="cert" caption="cert.board" rows={certificates} rowKey={(c) => c.serial} empty="cert.none" sort="until" step={50} search={(c) => `${c.hwSerialNum} ${c.lfdi ?? ''} ${c.serial} ${c.vendor}`} filters={[{ id: 'state', title: 'common.state', value: (c) => c.state }, { id: 'vendor', title: 'nav.vendors', value: (c) => c.vendor }]} columns={[
          { id: 'device', title: 'cert.device', value: (c) => c.hwSerialNum, cell: (c) => c.hwSerialNum }, { id: 'vendor', title: 'nav.vendors', value: (c) => c.vendor, cell: (c) => c.vendor }, { id: 'state', title: 'common.state', value: (c) => c.state, cell: (c) => <State of={c.state} /> },
          { id: 'until', title: 'cert.until', value: (c) => c.notAfter, cell: (c) => <Time at={c.notAfter} style="day" /> }, { id: 'days', title: 'cert.days', num: true, value: (c) => days(c), cell: (c) => <>{c.state === 'valid' && days(c) <= 30 && <span class="state warn">{t('cert.soon')}</span>} <D>{plain(days(c), 0)}</D></> },
          { id: 'lfdi', title: 'cert.lfdi', value: (c) => c.lfdi, cell: (c) => c.lfdi ?? '–' }, { id: 'reason', title: 'common.reason', value: (c) => c.reason, cell: (c) => c.reason ?? '' }, { id: 'revoke', title: 'cert.revoke', cell: (c) => officer && c.state === 'valid' ? <Revoke c={c} reload={found.reload} /> : '' },
        ]} />
        <Explain />
        <h2>{t('vendor.accounts')}</h2>
        <Table<Vendor> name="ven" caption="vendor.accounts" rows={vendors} rowKey={(v) => v.id} empty="vendor.none" sort="name" columns={[
          { id: 'name', title: 'common.name', value: (v) => v.name, cell: (v) => v.name }, { id: 'pen', title: 'vendor.pen', num: true, value: (v) => v.pen, cell: (v) => v.pen }, { id: 'approval', title: 'vendor.approval', value: (v) => v.approval, cell: (v) => t(`vendor.approval.${v.approval}` as Key) }, { id: 'policy', title: 'vendor.policy', value: (v) => v.policy, cell: (v) => t(`vendor.policy.${v.policy}` as Key) },
        ]} />
        {officer && <div class="columns"><NewVendor reload={found.reload} />{vendors.length > 0 && <Secrets vendors={vendors} />}</div>}
      </>)}</Await></>
  )
}
const days = (c: Certificate): number => Math.floor((Date.parse(c.notAfter) - serverNow()) / 86_400_000)

function Revoke({ c, reload }: { c: Certificate; reload: () => void }) {
  const [open, set] = useState(false)
  return <><button type="button" onClick={() => set(true)}>{t('cert.revoke')}</button>{open && <Dialog title={t('cert.revoke')} onClose={() => set(false)}><p>{t('cert.revokeSure')}</p><p translate={false}>{c.hwSerialNum}</p><div class="row end"><button type="button" autofocus onClick={() => set(false)}>{t('common.close')}</button><Act label="cert.revoke" kind="danger" do={async () => { await post(`/certificates/${c.id}/revoke`, {}); set(false); reload() }} /></div></Dialog>}</>
}

interface Explanation { verdict: string; lfdi: string; certificate?: Record<string, unknown>; failures: Record<string, string>[] }

function Explain() {
  const [pem, set] = useState(''), [found, setFound] = useState<Explanation>()
  return (
    <details class="card"><summary>{t('cert.explain')}</summary><form onSubmit={(e) => e.preventDefault()}><Field label="cert.explainHelp"><textarea name="pem" rows={5} value={pem} onInput={text(set)} /></Field><Act label="cert.explainDo" type="submit" kind="primary" disabled={pem.trim() === ''} do={async () => setFound(await post<Explanation>('/certificates/explain', { certificate: pem }))} />
      {found && <div aria-live="polite"><p><strong>{t(found.verdict === 'accepted' ? 'cert.accepted' : 'cert.refused')}</strong> <D>{found.lfdi}</D></p><ul translate={false}>{found.failures.map((f, i) => <li key={i}>{Object.values(f).join(' · ')}</li>)}</ul></div>}</form></details>
  )
}

function NewVendor({ reload }: { reload: () => void }) {
  const [f, set] = useState({ name: '', pen: '', approval: 'automatic', policy: 'factory' })
  return (
    <form class="card" onSubmit={(e) => e.preventDefault()}><h2>{t('vendor.new')}</h2><Field label="common.name"><input name="vendor" value={f.name} onInput={text((v) => set({ ...f, name: v }))} /></Field><Field label="vendor.pen"><input name="pen" type="number" min="1" value={f.pen} onInput={text((v) => set({ ...f, pen: v }))} /></Field>
      <Field label="vendor.approval"><select value={f.approval} onChange={text((v) => set({ ...f, approval: v }))}>{(['automatic', 'manual'] as const).map((x) => <option key={x} value={x}>{t(`vendor.approval.${x}`)}</option>)}</select></Field><Field label="vendor.policy"><select value={f.policy} onChange={text((v) => set({ ...f, policy: v }))}>{(['factory', 'postManufacture'] as const).map((x) => <option key={x} value={x}>{t(`vendor.policy.${x}`)}</option>)}</select></Field>
      <Act label="vendor.new" type="submit" kind="primary" disabled={f.name === '' || f.pen === ''} do={async () => { await post('/vendors', { ...f, pen: Number(f.pen) }); set({ ...f, name: '', pen: '' }); reload() }} /></form>
  )
}

function Secrets({ vendors }: { vendors: Vendor[] }) {
  const [f, set] = useState({ vendor: vendors[0]!.name, serials: '', hours: '24' }), [made, setMade] = useState<string>(), serials = f.serials.split(/\s+/).filter((x) => x !== '')
  const make = async (): Promise<void> => { const answer = await post<List<{ hwSerialNum: string; secret: string }>>(`/vendors/${encodeURIComponent(f.vendor)}/secrets`, { hwSerialNums: serials, expiresIn_s: Number(f.hours) * 3600 }); setMade(answer.items.map((x) => `${x.hwSerialNum},${x.secret}`).join('\n')) }
  return (
    <form class="card" onSubmit={(e) => e.preventDefault()}><h2>{t('vendor.secrets')}</h2><Field label="nav.vendors"><select value={f.vendor} onChange={text((v) => set({ ...f, vendor: v }))}>{vendors.map((v) => <option key={v.name} translate={false}>{v.name}</option>)}</select></Field><Field label="vendor.serial" help={t('vendor.secretsHelp')}><textarea name="serials" rows={3} value={f.serials} onInput={text((v) => set({ ...f, serials: v }))} /></Field><Field label="vendor.hours"><input name="hours" type="number" min="1" max="8760" value={f.hours} onInput={text((v) => set({ ...f, hours: v }))} /></Field>
      <Act label="vendor.makeSecrets" values={{ n: serials.length }} type="submit" kind="primary" disabled={serials.length === 0} do={make} />{made && <Secret of={made} />}</form>
  )
}
