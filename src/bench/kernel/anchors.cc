// SPDX-License-Identifier: Apache-2.0
//
// The first and last functions of each range of Linux 6.1, and some in between that modules use.
#include "bench/kernel/anchors.h"

namespace kiste::bench {

namespace {

constexpr Anchors kAnchors[] = {
    {"arch",
     "__startup_64 snp_cpuid sme_populate_pgd early_setup_idt cc_platform_has "
     "events_hybrid_sysfs_show xen_unmap_domain_gfn_range hyperv_report_panic profile_pc "
     "convert_art_to_tsc irq_fpu_usable cr4_read_shadow amd_get_nodes_per_socket "
     "acpi_register_ioapic irqd_cfg kvm_arch_para_hints __virt_addr_valid set_memory_wb "
     "arch_io_reserve_memtype_wc efi_query_variable_store ex_handler_bpf __rdmsr_on_cpu "
     "rdmsr_on_cpu wrmsr_safe_on_cpu do_trace_rdpmc do_trace_write_msr msr_clear_bit "
     "pcibios_allocate_rom_resources pcibios_scan_specific_bus save_processor_state "
     "restore_processor_state swsusp_arch_resume cmdline_find_option_bool copy_mc_to_kernel "
     "x86_stepping copy_from_user_nmi __memcpy_flushcache pti_user_pagetable_walk_pte "
     "pci_fixup_umc_ide spec_ctrl_current amd_clear_divider get_cpu_entry_area xen_get_vendor "
     "xen_build_mfn_list_list alloc_low_pages arch_remove_memory is_mmconf_reserved "
     "vmemmap_flush_unused_pmd kernel_physical_mapping_init init_trampoline_kaslr"},
    {"init", "trace_initcall_finish_cb name_to_dev_t wait_for_initramfs calibrate_delay"},
    {"kernel",
     "get_task_mm __put_task_struct_rcu_cb cpus_read_lock _local_bh_enable "
     "resource_list_create_entry proc_dostring file_ns_capable kill_pid_usb_asyncio "
     "call_usermodehelper_exec cancel_work destroy_workqueue find_get_pid param_set_copystring "
     "kthread_unuse_mm kthread_stop kthread_complete_and_exit sys_ni_syscall create_new_namespaces "
     "raw_notifier_chain_unregister register_reboot_notifier cpufreq_remove_update_util_hook "
     "__percpu_init_rwsem irq_set_vcpu_affinity probe_irq_mask synchronize_srcu_expedited "
     "dma_sync_single_for_device __round_jiffies_up_relative posix_clock_unregister audit_log "
     "ring_buffer_oldest_event_ts trace_print_bitmask_seq irq_work_queue "
     "unregister_wide_hw_breakpoint devm_memunmap __ia32_sys_rseq panic hw_protection_shutdown "
     "unregister_console srcu_torture_stats_print arch_syscall_match_sym_name __stack_chk_fail "
     "ct_idle_exit ct_idle_enter __ct_user_exit ct_irq_exit io_schedule_timeout "
     "wait_for_completion_timeout __rt_mutex_init schedule_hrtimeout alarm_timer_nsleep_restart "
     "_raw_spin_lock_irqsave _raw_read_unlock_irq _raw_spin_lock_bh queued_write_lock_slowpath "
     "__do_softirq"},
    {"ipc",
     "__x64_sys_old_msgctl __ia32_sys_old_msgctl __x64_sys_old_shmctl __ia32_sys_old_shmctl "
     "get_compat_ipc64_perm ipc_obtain_object_check semctl_stat shm_get_unmapped_area "
     "ipc_set_ownership __x64_sys_mq_getsetattr retire_mq_sysctls"},
    {"mm",
     "filemap_check_errors page_cache_next_miss filemap_fault copy_from_user_nofault "
     "mark_page_accessed truncate_inode_pages __vmalloc_array bdi_dev_name list_lru_count_node "
     "pin_user_pages_fast_only vm_munmap is_free_buddy_page __page_file_index "
     "kmem_cache_alloc_node balloon_page_list_dequeue page_reporting_register put_page_bootmem "
     "dump_header per_cpu_pages_init establish_demotion_targets usercopy_abort "
     "__init_zone_device_page _deferred_grow_zone __add_memory mem_cgroup_css_alloc "
     "mm_compute_batch_notifier memblock_insert_region memblock_set_current_limit "
     "memtier_hotplug_callback"},
    {"fs",
     "generic_file_open generic_write_checks open_exec vfs_fileattr_set ilookup5_nowait mntput "
     "simple_nosetlease fsstack_copy_inode_size alloc_page_buffers "
     "fscrypt_decrypt_pagecache_blocks generic_setlease unregister_quota_format "
     "proc_create_net_data jbd2_journal_submit_inode_data_buffers debugfs_create_dir "
     "pstore_unregister pstore_get_backend_records fscrypt_msg fsverity_msg sysctl_err "
     "jbd2_journal_destroy_caches"},
    {"security",
     "key_gc_timer_func key_payload_reserve key_invalidate keyring_alloc lookup_user_key "
     "user_revoke security_free_mnt_opts security_inode_copy_up_xattr security_release_secctx "
     "security_sk_clone security_tun_dev_alloc_security security_sctp_assoc_established "
     "security_locked_down security_d_instantiate security_kernel_load_data ima_file_check "
     "evm_set_key posix_xattr_acl"},
    {"crypto",
     "crypto_shoot_alg crypto_clone_tfm crypto_enqueue_request crypto_register_template "
     "crypto_aead_setauthsize skcipher_walk_complete skcipher_walk_async "
     "crypto_shash_alg_has_setkey crypto_shash_digest crypto_dh_decode_key "
     "crypto_get_default_null_skcipher crypto_register_rngs x509_cert_parse crypto_kdf108_setkey"},
    {"block",
     "I_BDEV fsync_bdev bio_copy_data elv_rb_latter_request blk_start_plug "
     "blk_queue_physical_block_size blk_queue_write_cache blk_abort_request blk_mq_alloc_request "
     "blk_mq_run_hw_queues blk_stat_disable_accounting badblocks_store blkcg_policy_register "
     "blk_integrity_compare init_opal_dev bd_link_disk_holder bd_register_pending_holders"},
    {"io_uring",
     "io_uring_poll io_cq_unlock_post io_is_uring_fops io_madvise_prep "
     "io_uring_cmd_complete_in_task io_uring_cmd_import_fixed io_send_prep_async "
     "io_queue_linked_timeout io_async_cancel_prep io_import_fixed io_worker_cancel_cb "
     "io_wq_max_workers io_cancel_ctx_cb io_pages_map io_uring_alloc_task_context"
     " io_register_rsrc"},
    {"lib",
     "lockref_get debug_locks_off bitmap_zalloc iov_iter_init _find_next_andnot_bit "
     "rht_bucket_nested __read_overflow2_field hchacha_block_generic pci_iomap_wc_range "
     "gen_pool_create LZ4_decompress_safe_usingDict __dynamic_pr_debug mpi_point_new "
     "dim_calc_stats sbitmap_queue_recalculate_wake_batch __sbitmap_queue_get group_cpus_evenly "
     "argv_free cpumask_local_spread klist_remove kobject_init_and_add mtree_insert "
     "radix_tree_gang_lookup_tag_slot seq_buf_printf strnstr __xas_next xa_load __xa_alloc_cyclic "
     "xas_destroy"},
    {"drivers",
     "pci_generic_config_read pci_fixup_cardbus pci_write_msi_msg acpi_dev_uid_to_integer "
     "acpi_enable erst_write tty_hung_up_p uart_parse_options iommu_domain_free "
     "subsys_dev_iter_init device_property_read_string pm_system_wakeup nvme_sync_queues "
     "ptp_get_vclocks_index led_trigger_blink ras_userspace_consumers trace_open "
     "early_dump_pci_device pci_setup_cardbus dev_vprintk_emit cper_estatus_print "
     "mbox_request_channel_byname acpi_os_unmap_iomem acpi_os_map_memory efi_earlycon_unmap "
     "acpi_idle_do_entry acpi_idle_enter_bm acpi_idle_lpi_enter poll_idle"},
    {"net",
     "netdev_devres_match devm_alloc_etherdev_mqs sock_no_sendmsg_locked skb_clone "
     "netdev_lower_get_next_private validate_xmit_skb_list rtnl_offload_xstats_notify "
     "netpoll_poll_disable qdisc_class_hash_grow nf_logger_find_get tcp_abort "
     "skb_udp_tunnel_segment cookie_tcp_reqsk_alloc ip6_frag_next devlink_trap_ctx_priv "
     "vlan_vids_add_by_dev mptcp_diag_fill_info bpf_mptcp_sock_from_subflow skb_panic skb_dump "
     "netdev_printk nf_log_buf_close devlink_port_type_warn"},
};

}  // namespace

std::span<const Anchors> KernelAnchors() { return kAnchors; }

}  // namespace kiste::bench
