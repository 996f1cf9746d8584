-- A client written against the contract names itself in `analyses.user_id` when it inserts: the
-- contract's own policy let no other row through. The row's owner may say so; a foreign id is refused
-- by the policy `analyses_insert_own`, and one that is absent is still filled in.

do $$
begin
  perform forgeos.grant_to('authenticated', 'insert (user_id) on table public.analyses');
end
$$;
