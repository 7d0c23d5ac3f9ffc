package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// machine is what the figures depend on, as far as it can be told in a line.
func machine() string {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // "" elsewhere than on Linux
	return fmt.Sprintf("%d CPUs, %s, %s/%s, kernel %s", runtime.NumCPU(), model(), runtime.GOOS, runtime.GOARCH, strings.TrimSpace(string(kernel)))
}

// model is what the processor calls itself.
func model() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "of an unknown model"
}

// fileSystem names the one that dir lies on, as the kernel mounts it.
func fileSystem(dir string) string {
	dir, err := filepath.EvalSymlinks(dir)
	mounts, openErr := os.Open("/proc/self/mountinfo")
	if err != nil || openErr != nil {
		return "on an unknown file system"
	}
	defer mounts.Close()
	longest, found := "", "on an unknown file system"
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		mount, kind := strings.Fields(before), strings.Fields(after)
		if len(mount) < 6 || len(kind) < 2 {
			continue
		}
		if point := mount[4]; len(point) >= len(longest) && below(dir, point) {
			longest, found = point, fmt.Sprintf("%s (%s, %s)", kind[0], kind[1], mount[5])
		}
	}
	if strings.HasPrefix(found, "tmpfs") {
		found += ": in memory, where syncing costs nothing; take another -dir"
	}
	return found
}

// below is whether path is tree or lies in it.
func below(path, tree string) bool {
	return path == tree || strings.HasPrefix(path, strings.TrimSuffix(tree, "/")+"/")
}

// version is that of a Debian package.
func version(family string) string {
	out, err := exec.Command("dpkg-query", "-W", "-f=${Version}", family).Output()
	if err != nil || len(out) == 0 {
		return "of an unknown version"
	}
	return string(out)
}
