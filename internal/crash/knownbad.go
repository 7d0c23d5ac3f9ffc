package main

// named is how many of [knownBad], the first ones, are told of in docs/reliability.md as what every test
// run has to catch.
const named = 6

var (
	deleting   = plot{keep: false, accounts: 1}
	keeping    = plot{keep: true, accounts: 1}
	sharing    = plot{keep: false, accounts: 2}
	asiding    = plot{keep: true, accounts: 1, to: toQuarantine}
	compacting = plot{keep: true, accounts: 1, chore: []string{"uidl", "compact"}}
	handing    = plot{keep: true, accounts: 1, to: toAgent}
)

// knownBad are the bugs that a program like this one is likely to have, and that others have had.
var knownBad = []mutant{
	{
		name: "rename before fsync", does: "a message is made durable once it is in new/", plot: deleting,
		edits: []edit{
			{"deliver/staging.go", "errors.Join(s.sys.fsync(f), f.close())", "errors.Join(f.close())"},
			{"deliver/maildir.go", "\tif m.shown == nil {\n", "\tif f, err := openFile(to, os.O_RDONLY, 0); err == nil {\n\t\t_ = m.sys.fsync(f)\n\t\tf.close()\n\t}\n\tif m.shown == nil {\n"},
		},
	},
	{
		name: "record before publish", does: "the delivery is recorded in the place of the intent", plot: keeping,
		edits: []edit{
			{"fetch/bringer.go", "b.next.Intend = append(b.next.Intend, b.s.intent(a))", "b.delivered(a)"},
			{"fetch/bringer.go", "\t\t\tb.delivered(a)\n\t\t\tcontinue\n", "\t\t\tcontinue\n"},
			{"fetch/bringer.go", "\tb.dropLater(s.account.Target, a.staged)\n\ts.addDelivered", "\ts.addDelivered"},
		},
	},
	{
		name: "DELE before record", does: "DELE and QUIT are sent for what is staged", plot: deleting,
		edits: []edit{
			{"fetch/bringer.go", "\tfor batch := range synced {\n\t\terr := context.Cause(ctx)\n", `	var all []syncedBatch
	var gone []Had
	for batch := range synced {
		all = append(all, batch)
		for _, a := range batch.arrivals {
			gone = append(gone, Had{Item: a.Item})
		}
	}
	if len(gone) > 0 {
		b.s.deleteAll(ctx, gone)
	}
	for _, batch := range all {
		err := context.Cause(ctx)
`},
			{"fetch/session.go", "\treturn s.finish(hard,", "\tif len(brought) > 0 {\n\t\treturn nil\n\t}\n\treturn s.finish(hard,"},
		},
	},
	{
		name: "new/ is not synced", does: "no fsync of new/ after the rename", plot: keeping,
		edits: []edit{
			{"deliver/maildir.go", `err = m.sys.syncDir(m.sub("new"))`, "err = nil"},
		},
	},
	{
		name: "tmp/ is not synced", does: "no fsync of tmp/ before the intent", plot: keeping,
		edits: []edit{
			{"deliver/gate.go", "if err := m.sys.syncDir(m.tmp.dir); err != nil {", "if err := error(nil); err != nil {"},
		},
	},
	{
		name: "the state's name is not synced", does: "no fsync of the folder in which the state is created", plot: keeping,
		edits: []edit{
			{"uidl/create.go", "return durable.Rename(fresh, path)", "_ = durable.Rename\n\treturn os.Rename(fresh, path)"},
			{"uidl/db.go", "\tif err := durable.SyncDir(dir); err != nil {\n\t\treturn err\n\t}\n", ""},
		},
	},
	{
		name: "the Maildir's name is not synced", does: "no fsync of the folder in which the Maildir is created", plot: keeping,
		edits: []edit{
			{"deliver/open.go", "range []string{path, filepath.Dir(path)}", "range []string{path}"},
			{"deliver/gate.go", "slices.Compact([]string{m.path, m.root})", "slices.Compact([]string(nil))"},
		},
	},
	{
		name: "no intents", does: "a delivery is recorded after the rename, and nothing before it", plot: keeping,
		edits: []edit{
			{"fetch/bringer.go", "b.next.Intend = append(b.next.Intend, b.s.intent(a))", "_ = b.s.intent(a)"},
		},
	},
	{
		name: "intents are not settled", does: "what a crash left is fetched again", plot: keeping,
		edits: []edit{
			{"fetch/settle.go", "if len(intents) == 0 {", "if len(intents) >= 0 {"},
		},
	},
	{
		name: "settling looks into tmp/ only", does: "what is in new/ and has an intent is fetched again", plot: keeping,
		edits: []edit{
			{"deliver/settle.go", "\t\treturn m.confirm(st, where)\n", "\t\treturn Again, nil\n"},
		},
	},
	{
		name: "settling trusts a kill", does: "a rename that a killed process left is not made durable", plot: keeping,
		edits: []edit{
			{"deliver/settle.go", "if err := m.sys.syncDir(m.sub(folder)); err != nil {", "if err := error(nil); err != nil {"},
			{"deliver/gate.go", `range []string{m.sub("new"), m.sub("cur"), m.path}`, "range []string{m.path}"},
		},
	},
	{
		name: "the state is not synced", does: "bbolt's NoSync", plot: keeping,
		edits: []edit{
			{"uidl/db.go", "FreelistType: bolt.FreelistMapType,", "FreelistType: bolt.FreelistMapType, NoSync: true,"},
		},
	},
	{
		name: "names come again", does: "each run names its files as the one before", plot: keeping,
		edits: []edit{
			{"deliver/name.go", "Run: hex.EncodeToString(run[:])", "Run: hex.EncodeToString(make([]byte, len(run)))"},
		},
	},
	{
		name: "no gate", does: "tmp/ is synced while another account's message is on its way to new/", plot: sharing,
		edits: []edit{
			{"deliver/gate.go", "\tg.Lock()\n\tdefer g.Unlock()\n", ""},
		},
	},
	{
		name: "spool files are not synced", does: "no fsync of what an agent gets after a power cut", plot: handing,
		edits: []edit{
			{"deliver/staging.go", "errors.Join(s.sys.fsync(f), f.close())", "errors.Join(f.close())"},
		},
	},
	{
		name: "verdicts are recorded together", does: "an agent gets a batch before the first verdict is recorded", plot: handing,
		edits: []edit{
			{"deliver/mda.go", "func (m *MDA) MaxBatch() int { return 1 }", "func (m *MDA) MaxBatch() int { return 256 }"},
		},
	},
	{
		name: "quarantine without intent", does: "a message is set aside, and that is recorded afterwards", plot: asiding,
		edits: []edit{
			{"fetch/aside.go", `	b.next.Abandon = append(b.next.Abandon, a.Ref())
	b.next.Intend = append(b.next.Intend, in)
	if err := b.commit(); err != nil {
		return "", err
	}
`, ""},
		},
	},
	{
		name: "compacting without fsync", does: "the state's new file is not synced before it takes the place of the old one", plot: compacting,
		edits: []edit{
			{"uidl/compact.go", "to.AllocSize = compactAlloc", "to.AllocSize, to.NoSync = compactAlloc, true"},
			{"uidl/compact.go", "err = db.disk.sync(fresh)", "err = nil"},
		},
	},
}
