package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"popsync/internal/crash/tracer"
)

func TestCallsLookAlikeInEachRun(t *testing.T) {
	p := &play{box: &box{dir: "/tmp/1"}}
	tests := []struct {
		call tracer.Call
		want string
	}{
		{
			tracer.Call{
				Name: "renameat2",
				Path: "/tmp/1/Maildir/tmp/1795937213.R606e63f04956f0ddQ1_sa98d0131Ied93127d898ccdee.host",
				To:   "/tmp/1/Maildir/new/1795937213.R606e63f04956f0ddQ1_sa98d0131Ied93127d898ccdee.host,S=12",
			},
			"renameat2 ./Maildir/tmp/NAME ./Maildir/new/NAME",
		},
		{tracer.Call{Name: "fsync", Path: "/tmp/1"}, "fsync ."},
		{tracer.Call{Name: "read", Path: "socket:[4711]", Length: 10}, "read socket:*"},
		{tracer.Call{Name: "close", Path: "/proc/12/cgroup"}, "close /proc/*/cgroup"},
		{tracer.Call{Name: "write", Path: "/tmp/1/state/#99 (deleted)"}, "write ./state/#* (deleted)"},
		{tracer.Call{Name: "dup3", Path: "pipe:[1]", Forked: true}, "forked dup3 pipe:*"},
		{tracer.Call{Name: "openat", Path: "/etc/localtime"}, "openat /etc/localtime"},
	}
	for _, tt := range tests {
		if got := p.looks(tt.call); got != tt.want {
			t.Errorf("%v looks like %q, not %q", tt.call, got, tt.want)
		}
	}
}

func TestWatchMeetsTheNthCallOnce(t *testing.T) {
	p := &play{box: &box{dir: "/tmp/1"}}
	w := p.watch(point{looks: "fsync ./a", nth: 2})
	var met []int
	for i, path := range []string{"a", "b", "a", "a", "a"} {
		if w.comes(tracer.Call{Name: "fsync", Path: "/tmp/1/" + path}) {
			met = append(met, i)
		}
	}
	if !slices.Equal(met, []int{2}) || !w.met {
		t.Errorf("met at %v", met)
	}
}

func TestOneOfEachKindComesFirst(t *testing.T) {
	all := strings.Fields("a1 a2 a3 a4 b1 b2 c1")
	kinds := mix(rand.New(rand.NewPCG(1, 2)), all, func(s string) string { return s[:1] })
	var order []string
	for _, s := range all {
		order = append(order, s[:1])
	}
	slices.Sort(order[:3])
	slices.Sort(order[3:5])
	if diff := cmp.Diff(strings.Fields("a b c a b a a"), order); diff != "" || kinds != 3 {
		t.Errorf("%d kinds, (-want +got)\n%s", kinds, diff)
	}
}

func TestMomentsOfACall(t *testing.T) {
	tests := []struct {
		looks string
		want  []string
	}{
		{"fsync ./a", []string{"before a call", "after a call"}},
		{"pwrite64 ./a", []string{"before a call", "after a call", "within a write"}},
		{"forked execve ./a", []string{"before a call", "after a call"}},
		{"exit_group", []string{"before a call"}},
		{"fstat ./a", nil},
	}
	for _, tt := range tests {
		var got []string
		for _, m := range momentsOf(point{looks: tt.looks}, rand.New(rand.NewPCG(1, 2))) {
			got = append(got, m.how)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.looks, diff)
		}
	}
}

func TestFaultsOfACall(t *testing.T) {
	tests := []struct {
		looks string
		has   []string
		not   []string
	}{
		{
			"write ./a",
			[]string{"no space left on device", "no space left on device from then on", "interrupted system call", "half of it"},
			[]string{"interrupted system call from then on", "connection reset by peer"},
		},
		{"write socket:*", []string{"connection reset by peer", "one octet of it"}, []string{"no space left on device"}},
		{"fsync ./a", []string{"input/output error"}, []string{"half of it"}},
		{"openat /etc/hosts", []string{"input/output error"}, []string{"input/output error from then on"}},
		{"forked execve ./a", []string{"cannot allocate memory"}, nil},
		{"write anon_inode:[eventfd]", nil, []string{"half of it"}},
	}
	for _, tt := range tests {
		var names []string
		for _, m := range misfortunesOf(point{looks: tt.looks}) {
			names = append(names, m.name)
		}
		for _, name := range tt.has {
			if !slices.Contains(names, name) {
				t.Errorf("%s: no %q", tt.looks, name)
			}
		}
		for _, name := range tt.not {
			if slices.Contains(names, name) {
				t.Errorf("%s: %q", tt.looks, name)
			}
		}
	}
}

func TestCloseThatFailsCloses(t *testing.T) {
	m := fails(syscall.EIO, false)
	if fate := m.fate(tracer.Call{Name: "close"}); !fate.Done {
		t.Error("its descriptor stays open")
	}
	if fate := m.fate(tracer.Call{Name: "fsync"}); fate.Done {
		t.Error("a sync that fails syncs")
	}
}
