//! Every role at every table, view, sequence and function: each action is really tried, and taken back. What comes out
//! is compared with `rights.txt`, so that an object without an expectation fails.
//!
//! A line of `rights.txt` is an object and a role with what the role may do: `select`, `update`, `delete` with whose
//! rows (`own`, `some` of the own, `all`, `none` of those that lie there; nothing where a rule for values refused the
//! attempt), and the columns where not all are meant. A role that may do nothing has no line, except `anon`, so that
//! every object has one.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use forgeos_tests::{Caller, Rows, SqlError, TestWorld};
use uuid::Uuid;

use crate::row_security::two_users;

const EXPECTED: &str = include_str!("rights.txt");

/// What one attempt came to.
enum Outcome {
    /// The role has no right to try.
    Denied,
    /// The role may; so many rows were meant, where that can be told.
    Allowed(Option<usize>),
}

impl Outcome {
    fn of(answer: Result<Rows, SqlError>) -> Self {
        match answer {
            Ok(rows) if rows.len() == 1 => Self::Allowed(rows.value().parse().ok()),
            Ok(_) => Self::Allowed(None),
            Err(error) if error.code == "42501" && error.message.starts_with("permission denied") => {
                Self::Denied
            }
            // A view that takes no rows: nobody may.
            Err(error) if ["55000", "42809"].contains(&error.code.as_str()) => Self::Denied,
            // Something else stood in the way: a constraint, a trigger, a policy.
            Err(_) => Self::Allowed(None),
        }
    }

    fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

/// A relation, with what is needed to try it.
struct Relation {
    name: String,
    columns: Vec<String>,
    /// SQL that tells rows of the user who asks from others.
    own: String,
    rows_own: usize,
    rows_all: usize,
}

impl Relation {
    async fn look(world: &TestWorld, name: &str, user: Uuid) -> Self {
        let columns = world
            .sql(format!(
                "select attname from pg_attribute where attrelid = '{name}'::regclass and attnum > 0 and not attisdropped
                 and attgenerated = '' order by attnum"
            ))
            .await;
        let columns: Vec<String> = columns.column().into_iter().map(str::to_owned).collect();
        let has = |column: &str| columns.iter().any(|one| one == column);
        let own = if has("user_id") {
            format!("coalesce(user_id = '{user}', false)")
        } else if has("job_id") {
            let jobs = world.sql(format!("select id from jobs where user_id = '{user}'")).await;
            let jobs: Vec<String> = jobs.column().iter().map(|id| format!("'{id}'")).collect();
            format!("coalesce(job_id in ({}), false)", jobs.join(", "))
        } else {
            "false".to_owned()
        };
        let count = async |condition: &str| {
            let sql = format!("select count(*) from {name} where {condition}");
            world.sql(sql).await.value().parse::<usize>().unwrap()
        };
        let (rows_own, rows_all) = (count(&own).await, count("true").await);
        Self { name: name.to_owned(), columns, own, rows_own, rows_all }
    }

    /// Whose rows a number of rows is.
    fn whose(&self, touched: Option<usize>) -> &'static str {
        match touched {
            None => "",
            Some(0) => " none",
            Some(rows) if rows == self.rows_all => " all",
            Some(rows) if rows == self.rows_own => " own",
            Some(_) => " some",
        }
    }

    /// Columns as text, nothing when they are all.
    fn shown(&self, columns: &[&str]) -> String {
        if columns.len() == self.columns.len() { String::new() } else { format!(" ({})", columns.join(", ")) }
    }
}

/// Who tries, and how often somebody tried.
struct Trial {
    caller: Caller,
    tried: AtomicUsize,
}

impl Trial {
    async fn attempt(&self, sql: String) -> Outcome {
        self.tried.fetch_add(1, Ordering::Relaxed);
        Outcome::of(self.caller.tried(sql).await)
    }

    async fn relation(&self, of: &Relation) -> Vec<String> {
        let name = &of.name;
        let mut may = Vec::new();

        let mut columns = Vec::new();
        for column in &of.columns {
            if self.attempt(format!("select count({column}) from {name}")).await.is_allowed() {
                columns.push(column.as_str());
            }
        }
        if !columns.is_empty() {
            let visible = async |condition: &str| {
                let sql = format!("select count(*) from {name} where {condition}");
                match self.attempt(sql).await {
                    Outcome::Allowed(Some(rows)) => rows,
                    _ => 0,
                }
            };
            let (own, others) = (visible(&of.own).await, visible(&format!("not {}", of.own)).await);
            let whose = match (own, others) {
                (0, 0) => "none",
                (own, 0) if own == of.rows_own => "own",
                (own, others) if own + others == of.rows_all => "all",
                _ => "some",
            };
            may.push(format!("select {whose}{}", of.shown(&columns)));
        }

        for (action, statement) in [
            ("insert", "insert into {t} ({c}) values (default)"),
            ("update", "with rows as (update {t} set {c} = default returning 1) select count(*) from rows"),
        ] {
            let (mut columns, mut touched) = (Vec::new(), None);
            for column in &of.columns {
                let sql = statement.replace("{t}", name).replace("{c}", column);
                if let Outcome::Allowed(rows) = self.attempt(sql).await {
                    columns.push(column.as_str());
                    touched = touched.max(rows);
                }
            }
            if !columns.is_empty() {
                let whose = if action == "update" { of.whose(touched) } else { "" };
                may.push(format!("{action}{whose}{}", of.shown(&columns)));
            }
        }

        let delete = format!("with rows as (delete from {name} returning 1) select count(*) from rows");
        if let Outcome::Allowed(rows) = self.attempt(delete).await {
            may.push(format!("delete{}", of.whose(rows)));
        }
        if self.attempt(format!("truncate {name} cascade")).await.is_allowed() {
            may.push("truncate".to_owned());
        }
        may
    }

    async fn sequence(&self, name: &str) -> Vec<String> {
        let mut may = Vec::new();
        for (action, sql) in [
            ("next", format!("select nextval('{name}')")),
            ("read", format!("select last_value from {name}")),
            ("set", format!("select setval('{name}', 1)")),
        ] {
            if self.attempt(sql).await.is_allowed() {
                may.push(action.to_owned());
            }
        }
        may
    }

    async fn function(&self, name: &str, arguments: &str) -> Vec<String> {
        let call = format!("select {name}({arguments})");
        if self.attempt(call).await.is_allowed() { vec!["execute".to_owned()] } else { Vec::new() }
    }
}

#[tokio::test]
async fn every_role_may_do_at_every_object_what_is_written_down_and_nothing_else() {
    let world = TestWorld::new().await;
    let (user, _) = two_users(&world).await;
    world.sql("insert into workers (id) values (gen_random_uuid())").await;
    let anybody = format!("anybody_{}", Uuid::new_v4().simple());
    world.sql(format!("create role {anybody} login")).await;
    let trial = |caller| Trial { caller, tried: AtomicUsize::new(0) };
    let roles = [
        ("anon", trial(world.role("anon"))),
        ("authenticated", trial(world.user(user))),
        ("service_role", trial(world.role("service_role"))),
        ("forgeos_worker", trial(world.login("forgeos_worker"))),
        // Whoever may log in and is a member of nothing has what PUBLIC has.
        ("anybody", trial(world.login(&anybody))),
    ];
    let mut lines: BTreeSet<String> = BTreeSet::new();
    let mut objects = 0;
    let mut note = |object: &str, role: &str, may: &[String]| {
        objects += usize::from(role == "anon");
        if !may.is_empty() || role == "anon" {
            let may = if may.is_empty() { "nothing".to_owned() } else { may.join("; ") };
            lines.insert(format!("{object} | {role} | {may}"));
        }
    };

    // A view of the catalogue would be ours if it lay here: what is of an extension is not.
    let ours = "in ('public'::regnamespace, 'forgeos'::regnamespace)
                and not exists (select from pg_depend d where d.objid = o.oid and d.deptype = 'e')";
    let relations = world
        .sql(format!(
            "select format('%I.%I', relnamespace::regnamespace, relname), relkind from pg_class o
             where relnamespace {ours} and relkind in ('r', 'p', 'v', 'm', 'f', 'S') order by 1"
        ))
        .await;
    for row in &relations.0 {
        let (name, kind) = (row[0].as_deref().unwrap(), row[1].as_deref().unwrap());
        if kind == "S" {
            for (role, trial) in &roles {
                note(name, role, &trial.sequence(name).await);
            }
            continue;
        }
        let relation = Relation::look(&world, name, user).await;
        for (role, trial) in &roles {
            note(name, role, &trial.relation(&relation).await);
        }
    }
    let functions = world
        .sql(format!(
            "select format('%I.%I', pronamespace::regnamespace, proname), pg_get_function_identity_arguments(oid),
                    (select coalesce(string_agg('null::' || format_type(t, null), ', ' order by n), '')
                     from unnest(proargtypes) with ordinality as a (t, n))
             from pg_proc o where pronamespace {ours} and prokind in ('f', 'p') order by 1, 2"
        ))
        .await;
    for row in &functions.0 {
        let [name, signature, arguments] = [0, 1, 2].map(|place| row[place].as_deref().unwrap());
        for (role, trial) in &roles {
            note(&format!("{name}({signature})"), role, &trial.function(name, arguments).await);
        }
    }

    let tried: usize = roles.iter().map(|(_, trial)| trial.tried.load(Ordering::Relaxed)).sum();
    println!("{objects} objects, {} roles, {tried} attempts", roles.len());
    let expected: BTreeSet<String> = EXPECTED.lines().map(str::to_owned).collect();
    let mut differences = String::new();
    for line in expected.difference(&lines) {
        let _ = writeln!(differences, "- {line}");
    }
    for line in lines.difference(&expected) {
        let _ = writeln!(differences, "+ {line}");
    }
    assert!(differences.is_empty(), "expected (-) and found (+):\n{differences}");
}
