//! What can be wrong with a database, asked of the database itself. Changes nothing.

use chrono::{DateTime, Utc};

use super::{DbResult, Session};

/// What the server tells of itself.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// `server_version_num`, e.g. 150008.
    pub version: i32,
    /// Its clock.
    pub now: DateTime<Utc>,
    /// Whether it is a read-only standby.
    pub standby: bool,
    /// The role of this connection.
    pub role: String,
    /// Connections that are still free for such a role.
    pub connections_left: i64,
}

/// Asks the server.
pub async fn server(session: &mut Session) -> DbResult<ServerFacts> {
    Ok(sqlx::query_as!(
        ServerFacts,
        r#"select current_setting('server_version_num')::int as "version!", clock_timestamp() as "now!",
                  pg_is_in_recovery() as "standby!", current_user::text as "role!",
                  current_setting('max_connections')::bigint
                    - current_setting('superuser_reserved_connections')::bigint
                    - (select count(*) from pg_stat_activity where backend_type = 'client backend') as "connections_left!""#
    )
    .fetch_one(session.exec())
    .await?)
}

/// What the worker must be able to do on tables, and this role cannot: `update on public.jobs`.
pub async fn missing_privileges(session: &mut Session) -> DbResult<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select format('%s on %s', wanted.privilege, wanted.relation) as "missing!"
           from (
             select unnest(array['select', 'insert', 'update', 'delete']) as privilege, relation
             from unnest(array['public.job_items', 'public.job_attempts', 'public.job_logs', 'public.artifacts',
                               'public.workers']) as relation
             union all
             select unnest(array['select', 'insert', 'update']), relation
             from unnest(array['public.analyses', 'public.reports', 'public.training_sessions', 'forgeos.upkeep',
                               'forgeos.schedules']) as relation
             union all
             select unnest(array['select', 'update', 'delete']), 'public.jobs'
             union all
             select 'select', relation from unnest(array['public.job_types', 'forgeos.migrations']) as relation
           ) as wanted
           where to_regclass(wanted.relation) is null
              or not case wanted.privilege
                   when 'delete' then has_table_privilege(current_user, wanted.relation::regclass, 'delete')
                   else has_any_column_privilege(current_user, wanted.relation::regclass, wanted.privilege) end
           order by 1"#
    )
    .fetch_all(session.exec())
    .await?)
}

/// Whether row-level security shows this role every row: as owner, by attribute, or by membership.
pub async fn sees_every_row(session: &mut Session) -> DbResult<bool> {
    Ok(sqlx::query_scalar!(
        r#"select not row_security_active('public.jobs'::regclass)
                  or exists (select from unnest(array['service_role', 'forgeos_worker']) as member
                             where to_regrole(member) is not null and pg_has_role(current_user, member, 'usage'))
                  as "sees!""#
    )
    .fetch_one(session.exec())
    .await?)
}

/// Roles that the migrations would have made and could not.
pub async fn missing_roles(session: &mut Session) -> DbResult<Vec<String>> {
    Ok(sqlx::query_scalar!(r#"select unnest(forgeos.missing_roles()) as "role!""#)
        .fetch_all(session.exec())
        .await?)
}

/// What stands between this role, or the users, and Supabase's storage; nothing where there is no such schema.
#[derive(Debug, Clone)]
pub struct StorageAccess {
    /// Whether this role sees the rows of `storage.objects`, which image ids may name.
    pub readable: bool,
    /// Policies of ours for users that are not there.
    pub missing_policies: Vec<String>,
}

/// Asks about `storage.objects`.
pub async fn storage_access(session: &mut Session) -> DbResult<Option<StorageAccess>> {
    Ok(sqlx::query_as!(
        StorageAccess,
        r#"select has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
                    and (not row_security_active(c.oid)
                         or exists (select from pg_policy p
                                    where p.polrelid = c.oid and p.polname = 'forgeos_worker_reads_objects')
                            and coalesce(pg_has_role(current_user, to_regrole('forgeos_worker'), 'usage'), false)) as "readable!",
                  array(select wanted
                        from unnest(array['Users can upload images', 'Users can replace own images',
                                          'Users can delete own images', 'Users can read own files']) as wanted
                        where not exists (select from pg_policy p where p.polrelid = c.oid and p.polname = wanted)) as "missing_policies!"
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = 'storage' and c.relname = 'objects'"#
    )
    .fetch_optional(session.exec())
    .await?)
}

/// Policies of other people that open rows to users, as a sentence each.
pub async fn other_policies(session: &mut Session) -> DbResult<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select format('%s on %s for %s to %s %s', policy, relation, command,
                         array_to_string(roles, ', '), rule) as "policy!"
           from forgeos.other_policies()"#
    )
    .fetch_all(session.exec())
    .await?)
}

/// Rows that no worker will ever take.
#[derive(Debug, Clone)]
pub struct OddRows {
    /// Of a type that `job_types` does not know, as `type (count)`.
    pub unknown_types: Vec<String>,
    /// Of a status that does not exist, as `status (count)`.
    pub unknown_statuses: Vec<String>,
    /// Pending since before the first migration.
    pub not_adopted: i64,
}

/// Looks for rows that no worker will ever take.
pub async fn odd_rows(session: &mut Session) -> DbResult<OddRows> {
    Ok(sqlx::query_as!(
        OddRows,
        r#"select
             array(select format('%s (%s)', coalesce(j.job_type, 'null'), count(*)) from public.jobs j
                   where not exists (select from public.job_types t where t.name = j.job_type)
                   group by j.job_type order by 1) as "unknown_types!",
             array(select format('%s (%s)', coalesce(j.status, 'null'), count(*)) from public.jobs j
                   where j.status is null
                      or j.status not in ('pending', 'running', 'completed', 'failed', 'cancelled')
                   group by j.status order by 1) as "unknown_statuses!",
             (select count(*) from public.jobs where status = 'pending' and run_at is null) as "not_adopted!""#
    )
    .fetch_one(session.exec())
    .await?)
}

/// Who keeps dead row versions from being removed, and for how many seconds.
pub async fn xmin_holder(session: &mut Session) -> DbResult<Option<(String, f64)>> {
    let row = sqlx::query!(
        r#"select holder as "holder!", coalesce(extract(epoch from now() - since), 0)::float8 as "seconds!"
           from forgeos.xmin_holder()"#
    )
    .fetch_optional(session.exec())
    .await?;
    Ok(row.map(|row| (row.holder, row.seconds)))
}
