// Package disk is a model of a file system of which a power cut keeps what was synced, and of the rest
// whatever chance will have it.
//
//	d := disk.New(before, disk.Whole)
//	run := d.Replay(root, log.Ops, after)
//	for {
//		moment, ok, err := run.Step()
//		…
//		left := d.Survivor(random, disk.Chance(random)) // the power is cut here
//	}
//
// What may survive, by POSIX and by what file systems do:
//
//   - Bytes: of each write since the file's last fsync or fdatasync all, nothing, or some of its sectors
//     (512 octets) or pages (4096). No order holds between two writes.
//   - Sizes: the old one, the new one, or any between, whatever became of the bytes. What is missing
//     reads as zeros.
//   - Names: each change of a folder since its last fsync was done or not. Several changes of one name
//     are done in their order; others in any.
//   - The fsync of a file grants nothing to its name, and that of a folder nothing to the files in it.
//
// A rename changes two names, mostly of two folders. How far these hang together is the disk's [Renames].
package disk
