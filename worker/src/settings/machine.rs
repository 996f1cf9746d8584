//! What this process may use of the machine.

/// Half of the memory of the container or the machine, MiB; 1024 where neither tells.
pub(super) fn half_of_memory_mib() -> u32 {
    let limits =
        ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].into_iter().filter_map(
            |file| Some(std::fs::read_to_string(file).ok()?.trim().parse::<u64>().ok()? / (1024 * 1024)),
        );
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_mib(&text));
    let memory = limits.chain(total).min().unwrap_or(2048);
    u32::try_from(memory / 2).unwrap_or(u32::MAX).max(64)
}

fn total_mib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_total_is_read_in_mebibytes() {
        assert_eq!(super::total_mib("MemTotal:        8042584 kB\nMemFree: 1 kB\n"), Some(7854));
        assert_eq!(super::total_mib("nonsense"), None);
        assert!(super::half_of_memory_mib() >= 64);
    }
}
