/* SPDX-License-Identifier: ISC */
/*
 * The metrics of the process itself, by the names that all exporters use for them, without our
 * prefix. PROCESS(member of struct usage, name, help)
 */
PROCESS(cpu_seconds, "process_cpu_seconds_total", "Processor time that the process has used, in user and system mode")
PROCESS(start_time, "process_start_time_seconds", "When it began to serve, in seconds since 1970")
PROCESS(resident_bytes, "process_resident_memory_bytes", "Memory that it takes")
PROCESS(virtual_bytes, "process_virtual_memory_bytes", "Address space that it takes; stores on disk are mapped into it")
PROCESS(open_fds, "process_open_fds", "Descriptors that it has open")
PROCESS(max_fds, "process_max_fds", "Descriptors that it may have open")
