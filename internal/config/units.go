package config

import (
	"errors"
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	bareNumber   = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	durationForm = regexp.MustCompile(`^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$`)
	durationPart = regexp.MustCompile(`[0-9]+[dhms]`)
	sizeForm     = regexp.MustCompile(`^([0-9]+) ?([kKMGT]i?)?B$`)
	modeForm     = regexp.MustCompile(`^(0o?)?[0-7]{3}$`)
)

var durationUnits = map[byte]time.Duration{
	'd': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second,
}

// parseDuration reads 90s, 5m, 2h, 14d and combinations such as 1h30m, larger units first. A day
// has 24 hours.
func parseDuration(text string) (time.Duration, error) {
	switch {
	case bareNumber.MatchString(text):
		return 0, errors.New("has no unit; write 300s or 5m")
	case text == "", !durationForm.MatchString(text):
		return 0, errors.New("is no duration; its units are s, m, h and d, as in 90s, 5m, 1h30m or 14d")
	}
	var sum time.Duration
	for _, part := range durationPart.FindAllString(text, -1) {
		unit := durationUnits[part[len(part)-1]]
		n, err := strconv.ParseInt(part[:len(part)-1], 10, 64)
		if err != nil || n > int64((math.MaxInt64-sum)/unit) {
			return 0, errors.New("is longer than popsync can count (292 years)")
		}
		sum += time.Duration(n) * unit
	}
	return sum, nil
}

var sizeUnits = map[string]int64{
	"":  1,
	"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
}

// parseSize reads 50MB (50 times 10^6 bytes) and 64KiB (64 times 2^10).
func parseSize(text string) (int64, error) {
	if bareNumber.MatchString(text) {
		return 0, errors.New("has no unit; write 50MB or 64KiB")
	}
	m := sizeForm.FindStringSubmatch(text)
	if m == nil || sizeUnits[m[2]] == 0 {
		return 0, errors.New("is no size; write one such as 50MB or 64KiB")
	}
	unit := sizeUnits[m[2]]
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || n > math.MaxInt64/unit {
		return 0, errors.New("is more bytes than popsync can count")
	}
	return n * unit, nil
}

// parseMode reads the mode of a file as chmod does, always in octal: 0600, 0o600 and 600.
func parseMode(text string) (fs.FileMode, error) {
	if !modeForm.MatchString(text) {
		return 0, errors.New("is no mode; write three octal digits behind a 0, such as 0600")
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "0o"), 8, 32)
	if err != nil {
		return 0, err
	}
	switch mode := fs.FileMode(n); {
	case mode&0o600 != 0o600:
		return 0, errors.New("locks the owner out; write 0600, or 0640 for a group that may read")
	case mode&0o002 != 0:
		return 0, errors.New("lets everybody change mail; write 0600, or 0640 for a group that may read")
	case mode&0o111 != 0:
		return 0, errors.New("makes mail executable; write 0600, or 0640 for a group that may read")
	default:
		return mode, nil
	}
}
