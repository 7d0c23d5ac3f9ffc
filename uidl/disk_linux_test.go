package uidl

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// S4: after a transaction that failed nothing is written any more, and the state opens again.
func TestFailedTransactionIsTheLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := openAt(t, path)
	b := boxOf(t, db, alice)
	const records = 10 // enough for pages that are free again: the file need not grow
	for i := range records {
		if err := b.Commit(t.Context(), one(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	writable, err := unix.Dup(int(db.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Dup3(int(readOnly.Fd()), int(db.file.Fd()), 0); err != nil {
		t.Fatal(err)
	}
	first := b.Commit(t.Context(), one("b"))
	if _, ok := errors.AsType[*WriteError](first); !ok || !errors.Is(first, unix.EBADF) {
		t.Errorf("%v", first)
	}
	if err := unix.Dup3(writable, int(db.file.Fd()), 0); err != nil {
		t.Fatal(err)
	}
	unix.Close(writable)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if again := b.Commit(t.Context(), one("c")); again != first {
		t.Errorf("then %v", again)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Error("the file was written to")
	}
	entries, err := boxOf(t, openAt(t, path), alice).Records(t.Context())
	if err != nil || len(entries) != records {
		t.Errorf("%d records, %v", len(entries), err)
	}
}

// S4: a full disk is found out at Open, and in the middle it loses nothing that was acknowledged.
func TestFullDiskLosesNothing(t *testing.T) {
	dir := mounted(t)
	path := filepath.Join(dir, "state.db")
	db := openAt(t, path)
	b := boxOf(t, db, alice)
	if err := b.Commit(t.Context(), one("first")); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(dir, "ballast"))
	if _, err := Open(t.Context(), filepath.Join(dir, "other.db"), Options{}); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("a new state: %v", err)
	}
	acknowledged := 1
	var err error
	for err == nil && acknowledged < 10_000 {
		if err = b.Commit(t.Context(), one(fmt.Sprint(acknowledged))); err == nil {
			acknowledged++
		}
	}
	if _, ok := errors.AsType[*WriteError](err); !ok || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Commit: %v", err)
	}
	db.Close()
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Open: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	entries, err := boxOf(t, openAt(t, path), alice).Records(t.Context())
	// The commit that failed may have been durable, or not.
	if err != nil || len(entries) != acknowledged && len(entries) != acknowledged+1 {
		t.Errorf("%d records of %d, %v", len(entries), acknowledged, err)
	}
}

// S4: found out before anybody logs in.
func TestReadOnlyFileSystemIsNamed(t *testing.T) {
	dir := mounted(t)
	path := filepath.Join(dir, "state.db")
	openAt(t, path).Close()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, filepath.Join(dir, "a", "new.db")} {
		_, err := Open(t.Context(), path, Options{})
		if _, ok := errors.AsType[*fs.PathError](err); !ok || !errors.Is(err, unix.EROFS) {
			t.Errorf("%v", err)
		}
	}
}

// S3, S4: no permission.
func TestNoPermissionIsNamed(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere; TestReadOnlyFileSystemIsNamed stands in")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	openAt(t, path).Close()
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	for _, path := range []string{path, filepath.Join(dir, "a", "new.db")} {
		_, err := Open(t.Context(), path, Options{})
		if _, ok := errors.AsType[*fs.PathError](err); !ok || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%v", err)
		}
	}
}

// mounted is a small file system of the test's own; without the right to mount one it skips.
func mounted(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}
